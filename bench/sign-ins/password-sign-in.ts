/** Plays a whole sign-in with a password, one request after the other. */
import type { BenchClient } from '../servers/clients.ts';
import { PASSWORD } from '../servers/password-page.ts';
import type { Phone } from './approval.ts';
import { Authorization } from './authorization.ts';
import { expectStatus, findInBody, pathOf, redirectPathOf } from './checked.ts';
import { Device } from './device.ts';
import type { Nodes } from './nodes.ts';
import type { SignIn, Step } from './sign-in.ts';

let accounts = 0;

/** Returns a new account with a new device. */
export function newPerson(nodes: Nodes): Phone {
  accounts += 1;
  return { device: new Device(nodes), accountId: `person-${accounts}` };
}

export class PasswordSignIn implements SignIn {
  readonly steps: readonly Step[] = [
    ['GET /auth', () => this.#authorize()],
    ['GET the page', () => this.#page()],
    ['POST the password', () => this.#submit()],
    ['GET /auth/:uid', () => this.#resume()],
    ['POST /token', () => this.#token()],
  ];
  readonly #device: Device;
  readonly #accountId: string;
  readonly #authorization: Authorization;
  #path = '';
  #redirectTo = '';

  /** @param client decides the address of the password page */
  constructor(nodes: Nodes, { device, accountId }: Phone, client: BenchClient) {
    this.#device = device;
    this.#accountId = accountId;
    this.#authorization = new Authorization(nodes, client);
  }

  async #authorize(): Promise<void> {
    this.#path = await this.#authorization.begin(this.#device);
  }

  /** Opens the password page, directly or through a redirect from the QR page's address. */
  async #page(): Promise<void> {
    let page = await this.#device.open(this.#path, 'cross-site');
    if (page.status === 303) {
      this.#path = redirectPathOf(page);
      page = await this.#device.open(this.#path, 'cross-site');
    }
    findInBody(expectStatus(page, 200), /(type="password")/);
  }

  async #submit(): Promise<void> {
    const answer = await this.#device.submit(this.#path, { name: this.#accountId, password: PASSWORD });
    this.#redirectTo = pathOf(redirectPathOf(answer));
  }

  async #resume(): Promise<void> {
    await this.#authorization.resume(this.#device, this.#redirectTo);
  }

  async #token(): Promise<void> {
    await this.#authorization.redeem(this.#accountId);
  }
}
