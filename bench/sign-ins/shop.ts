/** Plays a client that asks users to approve actions, with its own access token. */
import type { Answer } from '../load/connection.ts';
import { SHOP } from '../servers/clients.ts';
import { expectStatus, pathOf } from './checked.ts';
import type { Nodes } from './nodes.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

export class Shop {
  readonly #nodes: Nodes;
  #accessToken = '';

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** Gets an access token, which serves for many actions. */
  async signIn(): Promise<void> {
    this.#accessToken = '';
    const fields = {
      grant_type: 'client_credentials',
      scope: 'qr_action',
      client_id: SHOP.id,
      client_secret: SHOP.secret,
    };
    const answer = expectStatus(
      await this.#send('POST /token', '', { type: FORM, text: `${new URLSearchParams(fields)}` }),
      200,
    );
    this.#accessToken = JSON.parse(answer.body).access_token;
  }

  /**
   * Asks for an approval.
   * @param address the network address of the request. Each action has another one, because limits count by address
   * @returns the path of the page that shows the code
   */
  async ask(sub: string, address: string): Promise<string> {
    const text = JSON.stringify({ title: 'Pay 12.50 euros', details: 'Order 4711', sub });
    const answer = expectStatus(await this.#send('POST /qr/actions', address, { type: JSON_TYPE, text }), 201);
    return pathOf(JSON.parse(answer.body).url);
  }

  /** Reads the result of an action. @throws Error unless it was approved, and has a signed result */
  async readApproval(path: string, address: string): Promise<void> {
    const answer = expectStatus(await this.#send(`GET ${path}/result`, address), 200);
    const { state, result } = JSON.parse(answer.body);
    if (state !== 'approved' || typeof result !== 'string') throw new Error(`this is no approval: ${answer.body}`);
  }

  #send(what: string, address: string, body?: { readonly type: string; readonly text: string }): Promise<Answer> {
    const lines = [
      `${what} HTTP/1.1`,
      `Host: ${new URL(this.#nodes.origin).host}`,
      'Connection: keep-alive',
      `Accept: ${JSON_TYPE}`,
      ...(this.#accessToken === '' ? [] : [`Authorization: Bearer ${this.#accessToken}`]),
      ...(address === '' ? [] : [`X-Forwarded-For: ${address}`]),
      ...(body === undefined ? [] : [`Content-Type: ${body.type}`, `Content-Length: ${body.text.length}`]),
    ];
    return this.#nodes.send(`${lines.join('\r\n')}\r\n\r\n${body?.text ?? ''}`);
  }
}
