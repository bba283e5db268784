import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import { SignJWT } from 'jose';
import { encryptMessage, type SubscriptionKeys } from './message-encryption.ts';
import { lookUpPublic } from './public-address.ts';

/** The keys by which push services recognize the sender (VAPID, RFC 8292). */
export interface Vapid {
  /** A `mailto:` or `https:` address at which the operator of a push service finds you (section 2.1). */
  readonly subject: string;
  /** The public key: an uncompressed point of the curve P-256, as base64url. Browsers get it. */
  readonly publicKey: string;
  /** The private key: 32 bytes, as base64url. */
  readonly privateKey: string;
}

export interface PushSettings {
  readonly vapid: Vapid;
  /** The hosts of push services. `*.` stands for any labels in front. */
  readonly hosts: readonly string[];
  /** The agent for requests, for example through a proxy. Its connections are not checked. */
  readonly agent?: Agent | undefined;
}

/** The address of a browser at its push service, and its keys. */
export interface Destination extends SubscriptionKeys {
  readonly endpoint: URL;
}

/**
 * The result of a message. `gone`: the browser has ended its subscription (RFC 8030, section 7.3), or the server may
 * not send to its address any more.
 */
export type Delivery = 'taken' | 'gone';

/** The longest address that is accepted. Those of the known services have up to 600 characters. */
const MAX_ENDPOINT = 1024;
/** The longest time for a message, in milliseconds. No browser waits for it. */
const WITHIN_MS = 5_000;
/** The lifetime of a token for a push service, in seconds: at most 24 hours (RFC 8292, section 2). */
const TOKEN_S: number = 60 * 60;

/** Sends messages to push services (RFC 8030). */
export class PushSender {
  readonly #settings: PushSettings;
  readonly #agent: Agent;

  constructor(settings: PushSettings) {
    this.#settings = settings;
    this.#agent = settings.agent ?? new Agent({ lookup: lookUpPublic, maxSockets: 8 });
  }

  get publicKey(): string {
    return this.#settings.vapid.publicKey;
  }

  /**
   * Returns the address of a push service; undefined if the server must not send requests to it. A browser names this
   * address, so it could be one of the server's own network.
   */
  readEndpoint(text: string): URL | undefined {
    if (text.length > MAX_ENDPOINT || !URL.canParse(text)) return undefined;
    const url = new URL(text);
    const isPlain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === '';
    const isAllowed = isPlain && isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 && this.#allows(url.hostname);
    return isAllowed ? url : undefined;
  }

  /**
   * Sends a message.
   * @param lasts the time for which the service keeps the message, in seconds
   * @throws Error if the service does not take it, or does not answer in time
   */
  async send(destination: Destination, text: string, lasts: number): Promise<Delivery> {
    const endpoint = this.readEndpoint(destination.endpoint.href);
    if (endpoint === undefined) return 'gone';
    const body = encryptMessage(text, destination);
    const status = await this.#post(endpoint, body, {
      'Content-Type': 'application/octet-stream',
      'Content-Encoding': 'aes128gcm',
      TTL: `${Math.max(0, Math.round(lasts))}`,
      Urgency: 'high',
      Authorization: `vapid t=${await this.#makeToken(endpoint)}, k=${this.publicKey}`,
    });
    if (status === 404 || status === 410) return 'gone';
    if (status >= 200 && status < 300) return 'taken';
    throw new Error(`the push service ${endpoint.host} answered ${status}`);
  }

  /** Sends a request. Redirects are not followed, and the body of the answer is not read. @returns the status */
  #post(url: URL, body: Buffer, headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this.#agent, headers: { ...headers, 'Content-Length': body.length } };
      const sent = request(url, options, (response) => {
        clearTimeout(timer);
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      const timer = setTimeout(() => sent.destroy(new Error(`${url.host} did not answer in time`)), WITHIN_MS);
      sent.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      sent.end(body);
    });
  }

  /** Returns a token that shows who sends (RFC 8292, section 2). */
  #makeToken({ origin }: URL): Promise<string> {
    const { subject, publicKey, privateKey } = this.#settings.vapid;
    const point = Buffer.from(publicKey, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
      .setAudience(origin)
      .setExpirationTime(`${TOKEN_S}s`)
      .setSubject(subject)
      .sign({ kty: 'EC', crv: 'P-256', d: privateKey, x: x ?? '', y: y ?? '' });
  }

  #allows(host: string): boolean {
    return this.#settings.hosts.some((allowed) =>
      allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed,
    );
  }
}
