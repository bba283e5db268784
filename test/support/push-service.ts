/**
 * A push service (RFC 8030) on this machine. It verifies its sender (RFC 8292), and decrypts each message as the browser
 * would (RFC 8188, RFC 8291), with code of its own.
 */
import { execFileSync } from 'node:child_process';
import { createPublicKey, randomBytes, verify, webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';

const { subtle } = webcrypto;

export const PUSH_HOST = 'push.example.com';

/** A browser that has subscribed. */
export interface Subscriber {
  /** The subscription as the browser describes it, as JSON. */
  readonly json: string;
  readonly path: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly auth: Buffer;
}

/** A message that the service has taken. */
export interface TakenMessage {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The decrypted text. */
  readonly text: string;
  /** The claims of the sender's token. */
  readonly claims: Record<string, unknown>;
}

export class PushService {
  readonly #server: Server;
  readonly #cert: Buffer;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly messages: TakenMessage[] = [];
  readonly problems: string[] = [];
  #waiting: (() => void)[] = [];
  /** The number of requests, whatever they were answered. */
  requests = 0;
  /** The status of each answer; `hang` for none. */
  status: number | 'hang' = 201;
  location: string | undefined;

  private constructor(key: Buffer, cert: Buffer) {
    this.#cert = cert;
    this.#server = createServer({ key, cert }, (request, response) => {
      this.requests += 1;
      void this.#take(request).finally(() => {
        for (const tell of this.#waiting) tell();
        this.#waiting = [];
        if (this.status === 'hang') return;
        response.writeHead(this.status, this.location === undefined ? {} : { location: this.location });
        // A body that goes on must not be read to its end.
        response.end('x'.repeat(100_000));
      });
    });
  }

  static async start(): Promise<PushService> {
    const folder = mkdtempSync(join(tmpdir(), 'push-service-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', `/CN=${PUSH_HOST}`, '-addext', `subjectAltName=DNS:${PUSH_HOST}`];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...names], { stdio: 'ignore' });
    const service = new PushService(readFileSync(key), readFileSync(cert));
    rmSync(folder, { recursive: true });
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Opens a connection to this service, for a request to its host. */
  connect(): TLSSocket {
    return connect({ host: '127.0.0.1', port: this.port, servername: PUSH_HOST, ca: this.#cert });
  }

  /** Returns an agent that connects to this service, whichever host is asked for. */
  agent(): Agent {
    return Object.assign(new Agent(), { createConnection: () => this.connect() });
  }

  async subscribe(): Promise<Subscriber> {
    const keys = (await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, [
      'deriveBits',
    ])) as webcrypto.CryptoKeyPair;
    const auth = randomBytes(16);
    const path = `/send/${randomBytes(16).toString('base64url')}`;
    const p256dh = Buffer.from(await subtle.exportKey('raw', keys.publicKey)).toString('base64url');
    const described = {
      endpoint: `https://${PUSH_HOST}${path}`,
      expirationTime: null,
      keys: { p256dh, auth: auth.toString('base64url') },
    };
    const subscriber = { json: JSON.stringify(described), path, keys, auth };
    this.#subscribers.set(path, subscriber);
    return subscriber;
  }

  /** Waits for the next request. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const bytes = Buffer.concat(chunks);
      const path = request.url ?? '';
      const subscriber = this.#subscribers.get(path);
      if (request.method !== 'POST' || subscriber === undefined) throw new Error(`${request.method} ${path}`);
      const claims = verifySender(request.headers.authorization ?? '');
      const text = await decrypt(bytes, subscriber);
      this.messages.push({ path, headers: request.headers, bytes, text, claims });
    } catch (error) {
      this.problems.push(`${error}`);
    }
  }
}

/** Verifies the token of the sender (RFC 8292, sections 2 and 3). @returns its claims */
function verifySender(authorization: string): Record<string, unknown> {
  const [, token = '', key = ''] = /^vapid t=([^,]+), k=([\w-]+)$/.exec(authorization) ?? [];
  const [header = '', payload = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  if (point.length !== 65 || point[0] !== 4) throw new Error('the key is no uncompressed point');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' });
  const isRight = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isRight) throw new Error('the signature of the sender is wrong');
  const { alg } = JSON.parse(`${Buffer.from(header, 'base64url')}`);
  if (alg !== 'ES256') throw new Error(`the algorithm is ${alg}`);
  return JSON.parse(`${Buffer.from(payload, 'base64url')}`);
}

/** Decrypts a message of one record (RFC 8188, section 2; RFC 8291, section 4). */
async function decrypt(bytes: Buffer, { keys, auth }: Subscriber): Promise<string> {
  const salt = bytes.subarray(0, 16);
  const recordSize = bytes.readUInt32BE(16);
  const keyLength = bytes.readUInt8(20);
  const senderKey = bytes.subarray(21, 21 + keyLength);
  const record = bytes.subarray(21 + keyLength);
  if (record.length > recordSize) throw new Error('there is more than one record');
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  const sender = await subtle.importKey('raw', senderKey, curve, false, []);
  const shared = await subtle.deriveBits({ name: 'ECDH', public: sender }, keys.privateKey, 256);
  const receiverKey = Buffer.from(await subtle.exportKey('raw', keys.publicKey));
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), receiverKey, senderKey]);
  const keying = await hkdf(Buffer.from(shared), auth, info, 32);
  const key = await hkdf(keying, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const iv = await hkdf(keying, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const aes = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const plain = Buffer.from(await subtle.decrypt({ name: 'AES-GCM', iv }, aes, record));
  const end = plain.findLastIndex((byte) => byte !== 0);
  if (plain[end] !== 2) throw new Error('the last record does not end with its delimiter');
  return `${plain.subarray(0, end)}`;
}

async function hkdf(secret: Buffer, salt: Buffer, info: Buffer, length: number): Promise<Buffer> {
  const key = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  return Buffer.from(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, length * 8));
}
