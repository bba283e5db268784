/** Plays a whole sign-in by the device flow of oidc-provider itself (RFC 8628), with a phone that is signed in. */

import type { Answer } from '../load/connection.ts';
import { DEVICE_RP } from '../servers/clients.ts';
import type { Phone } from './approval.ts';
import { expectStatus, findInBody } from './checked.ts';
import type { Nodes } from './nodes.ts';
import type { SignIn, Step } from './sign-in.ts';

const XSRF = /name="xsrf" value="([^"]+)"/;
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export class DeviceFlow implements SignIn {
  readonly steps: readonly Step[] = [
    ['POST /device/auth', () => this.#begin()],
    ['POST /token, pending', () => this.#poll()],
    ['GET /device', () => this.#open()],
    ['POST /device, code', () => this.#enter()],
    ['POST /device, confirm', () => this.#confirm()],
    ['POST /token', () => this.#redeem()],
  ];
  readonly #nodes: Nodes;
  readonly #phone: Phone;
  #deviceCode = '';
  #userCode = '';
  #xsrf = '';

  constructor(nodes: Nodes, phone: Phone) {
    this.#nodes = nodes;
    this.#phone = phone;
  }

  async #begin(): Promise<void> {
    const answer = expectStatus(await this.#post('/device/auth', { scope: 'openid' }), 200);
    const { device_code: deviceCode, user_code: userCode } = JSON.parse(answer.body);
    this.#deviceCode = deviceCode;
    this.#userCode = userCode;
  }

  async #poll(): Promise<void> {
    const answer = expectStatus(await this.#token(), 400);
    findInBody(answer, /(authorization_pending)/);
  }

  async #open(): Promise<void> {
    const page = await this.#phone.device.open(`/device?user_code=${this.#userCode}`, 'none');
    this.#xsrf = findInBody(expectStatus(page, 200), XSRF);
  }

  async #enter(): Promise<void> {
    const page = await this.#phone.device.submit('/device', { xsrf: this.#xsrf, user_code: this.#userCode });
    this.#xsrf = findInBody(expectStatus(page, 200), XSRF);
  }

  async #confirm(): Promise<void> {
    const fields = { xsrf: this.#xsrf, user_code: this.#userCode, confirm: 'yes' };
    const page = expectStatus(await this.#phone.device.submit('/device', fields), 200);
    findInBody(page, /(Sign-in Success)/);
  }

  async #redeem(): Promise<void> {
    const claims = findInBody(expectStatus(await this.#token(), 200), /"id_token":"[^."]+\.([^."]+)\./);
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    if (sub !== this.#phone.accountId) throw new Error(`the token is for ${sub}, not for ${this.#phone.accountId}`);
  }

  #token(): Promise<Answer> {
    return this.#post('/token', { grant_type: GRANT, device_code: this.#deviceCode });
  }

  #post(path: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const body = new URLSearchParams({ client_id: DEVICE_RP.id, ...fields }).toString();
    const head = `Host: ${new URL(this.#nodes.origin).host}\r\nConnection: keep-alive\r\nAccept: application/json\r\n`;
    const sends = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n`;
    return this.#nodes.send(`POST ${path} HTTP/1.1\r\n${head}${sends}\r\n${body}`);
  }
}
