/** Sends the first and last requests of every sign-in: the authorization request, and the token request with its code. */
import { createHash, randomBytes } from 'node:crypto';
import type { BenchClient } from '../servers/clients.ts';
import { expectStatus, findInBody, locationOf, pathOf, redirectPathOf } from './checked.ts';
import type { Device } from './device.ts';
import type { Nodes } from './nodes.ts';

export class Authorization {
  readonly #nodes: Nodes;
  readonly #client: BenchClient;
  readonly #verifier = randomBytes(32).toString('base64url');
  readonly #state = randomBytes(8).toString('base64url');
  #code = '';

  constructor(nodes: Nodes, client: BenchClient) {
    this.#nodes = nodes;
    this.#client = client;
  }

  /** Sends the browser from the RP to the provider. @returns the path of the sign-in page */
  async begin(device: Device): Promise<string> {
    return redirectPathOf(await device.open(this.#request('openid'), 'cross-site'));
  }

  #request(scope: string): string {
    return authorizationPath(this.#client, { scope, state: this.#state, verifier: this.#verifier });
  }

  /** Sends the browser back to the provider after the sign-in, and from there to the RP. */
  async resume(device: Device, redirectTo: string): Promise<void> {
    this.takeCode(locationOf(expectStatus(await device.open(pathOf(redirectTo), 'same-origin'), 303)));
  }

  /** Sends a browser that is signed in from the client to the provider and back. */
  async pass(device: Device, scope: string): Promise<void> {
    this.takeCode(locationOf(expectStatus(await device.open(this.#request(scope), 'cross-site'), 303)));
  }

  /** Takes the code from the address of the RP. */
  takeCode(location: string): void {
    const { searchParams } = new URL(location);
    const code = searchParams.get('code');
    if (!location.startsWith(this.#client.redirectUri) || searchParams.get('state') !== this.#state || code === null) {
      throw new Error(`the browser does not return to the RP with a code: ${location}`);
    }
    this.#code = code;
  }

  /**
   * Redeems the code as the RP does.
   * @param more more headers
   * @returns the access token
   * @throws Error if the token is for another account than expected
   */
  async redeem(accountId: string, more: string = ''): Promise<string> {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: this.#client.id,
      redirect_uri: this.#client.redirectUri,
      code: this.#code,
      code_verifier: this.#verifier,
    }).toString();
    const head = `Host: ${new URL(this.#nodes.origin).host}\r\nConnection: keep-alive\r\nAccept: application/json\r\n${more}`;
    const sends = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n`;
    const answer = await this.#nodes.send(`POST /token HTTP/1.1\r\n${head}${sends}\r\n${body}`);
    const claims = findInBody(expectStatus(answer, 200), /"id_token":"[^."]+\.([^."]+)\./);
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    if (sub !== accountId) throw new Error(`the token is for ${sub}, not for ${accountId}`);
    return findInBody(answer, /"access_token":"([^"]+)"/);
  }
}

interface RequestDetails {
  readonly scope?: string;
  readonly state?: string;
  readonly verifier?: string;
}

/** Returns the path of an authorization request. Its code cannot be redeemed without a `verifier`. */
export function authorizationPath(
  { id, redirectUri }: BenchClient,
  { scope = 'openid', state = 'state', verifier = '' }: RequestDetails = {},
): string {
  const parameters = new URLSearchParams({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `/auth?${parameters}`;
}
