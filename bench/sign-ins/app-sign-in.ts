/** Plays a whole sign-in by QR that an app approves, with the requests of the browser's page and of the app. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { Answer } from '../load/connection.ts';
import { PHONE_APP, RP } from '../servers/clients.ts';
import type { Phone } from './approval.ts';
import { Authorization } from './authorization.ts';
import { expectStatus, findInBody, pathOf } from './checked.ts';
import { Device } from './device.ts';
import type { EventStream } from './event-stream.ts';
import type { Nodes } from './nodes.ts';
import type { SignIn, Step } from './sign-in.ts';

/** An app that is signed in, with its key. */
export class App {
  readonly accountId: string;
  readonly #nodes: Nodes;
  readonly #device: Device;
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #accessToken = '';
  #nonce = '';

  /** @param phone the browser in which the app signs in, which is signed in to the provider */
  constructor(nodes: Nodes, { device, accountId }: Phone) {
    this.#nodes = nodes;
    this.#device = device;
    this.accountId = accountId;
  }

  /** Signs in with the session of the browser, and learns a nonce of the API. */
  async signIn(): Promise<void> {
    const authorization = new Authorization(this.#nodes, PHONE_APP);
    await authorization.pass(this.#device, 'openid qr_login');
    const proof = this.#prove('POST', '/token', {});
    this.#accessToken = await authorization.redeem(this.accountId, `DPoP: ${proof}\r\n`);
    await this.#send('POST', '/qr/api/scans', {});
  }

  /** Sends a request, and once more if its nonce was too old: RFC 9449, section 8. */
  async post(path: string, body: object): Promise<Answer> {
    const answer = await this.#send('POST', path, body);
    return answer.body.includes('"use_dpop_nonce"') ? this.#send('POST', path, body) : answer;
  }

  async #send(method: string, path: string, body: object): Promise<Answer> {
    const ath = createHash('sha256').update(this.#accessToken).digest('base64url');
    const proof = this.#prove(method, path, { ath, ...(this.#nonce && { nonce: this.#nonce }) });
    const json = JSON.stringify(body);
    const head = `Host: ${new URL(this.#nodes.origin).host}\r\nConnection: keep-alive\r\nAccept: application/json\r\n`;
    const access = `Authorization: DPoP ${this.#accessToken}\r\nDPoP: ${proof}\r\nX-Forwarded-For: ${this.#device.address}\r\n`;
    const sends = `Content-Type: application/json\r\nContent-Length: ${json.length}\r\n`;
    const answer = await this.#nodes.send(`${method} ${path} HTTP/1.1\r\n${head}${access}${sends}\r\n${json}`);
    this.#nonce = /\r\ndpop-nonce: (\S+)/i.exec(answer.head)?.[1] ?? this.#nonce;
    return answer;
  }

  #prove(htm: string, path: string, claims: object): string {
    const { kty, crv, x, y } = this.#key.publicKey.export({ format: 'jwk' });
    const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } });
    const iat = Math.floor(Date.now() / 1000);
    const payload = encode({ jti: randomUUID(), iat, htm, htu: this.#nodes.origin + path, ...claims });
    const key = { key: this.#key.privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${header}.${payload}.${sign('sha256', Buffer.from(`${header}.${payload}`), key).toString('base64url')}`;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export class AppSignIn implements SignIn {
  readonly steps: readonly Step[] = [
    ['GET /auth', () => this.#authorize()],
    ['GET I', () => this.#page()],
    ['GET I/qr/events', () => this.#listen()],
    ['POST Q/api/scans', () => this.#scan()],
    ['POST Q/api/tickets/:id/decision', () => this.#approve()],
    ['POST I/qr/finish', () => this.#finish()],
    ['GET /auth/:uid', () => this.#authorization.resume(this.#browser, this.#redirectTo)],
    ['POST /token', async () => void (await this.#authorization.redeem(this.#app.accountId))],
  ];
  readonly #browser: Device;
  readonly #app: App;
  readonly #authorization: Authorization;
  #codePagePath = '';
  #stream: EventStream | undefined;
  #code = '';
  #ticket = '';
  #checkCode = '';
  #redirectTo = '';

  constructor(nodes: Nodes, app: App) {
    this.#browser = new Device(nodes);
    this.#app = app;
    this.#authorization = new Authorization(nodes, RP);
  }

  async #authorize(): Promise<void> {
    this.#codePagePath = await this.#authorization.begin(this.#browser);
  }

  async #page(): Promise<void> {
    findInBody(
      expectStatus(await this.#browser.open(this.#codePagePath, 'cross-site'), 200),
      /(data-screen="waiting")/,
    );
  }

  async #listen(): Promise<void> {
    this.#stream = this.#browser.listen(`${this.#codePagePath}/qr/events?svg=no`);
    const { qr } = await this.#stream.waitUntilReached('waiting');
    this.#code = qr?.url ?? '';
  }

  async #scan(): Promise<void> {
    const { head } = expectStatus(await this.#app.post('/qr/api/scans', { code: this.#code }), 201);
    this.#ticket = pathOf(/\r\nlocation: (\S+)/i.exec(head)?.[1] ?? '');
    await this.#stream?.waitUntilReached('scanned');
  }

  async #approve(): Promise<void> {
    const answer = await this.#app.post(`${this.#ticket}/decision`, { decision: 'approve', remember: true });
    this.#checkCode = findInBody(expectStatus(answer, 200), /"checkCode":"(\d{6})"/);
    await this.#stream?.waitUntilReached('approved');
  }

  async #finish(): Promise<void> {
    const answer = await this.#browser.post(`${this.#codePagePath}/qr/finish`, { checkCode: this.#checkCode });
    this.#redirectTo = JSON.parse(expectStatus(answer, 200).body).redirectTo;
    this.#stream?.close();
  }
}
