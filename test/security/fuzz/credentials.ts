/** The access tokens of a sender: that of an app, which is bound to the app's key, and that of a client. */
import { SHOP, shopClient } from '../../fixtures/test-client.ts';
import { Agent, type Answer } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { CLIENT_SECRET, type World, type WorldOptions } from '../../support/world.ts';
import type { FuzzRequest } from './requests.ts';
import { applyChange } from './values.ts';

/** The clients of the two senders, which ask for actions. */
export const SHOPS: Readonly<Record<'mine' | 'theirs', string>> = { mine: SHOP, theirs: 'other-shop' };

/** Adds the clients of both senders to a world. */
export function withShops(options: WorldOptions): WorldOptions {
  return { ...options, clients: [...(options.clients ?? []), ...Object.values(SHOPS).map((id) => shopClient(id))] };
}

export class Credentials {
  readonly app: AppPerson;
  readonly #world: World;
  readonly #shop: string;
  #clientToken = '';

  private constructor(world: World, app: AppPerson, shop: string) {
    this.#world = world;
    this.app = app;
    this.#shop = shop;
  }

  static async get(world: World, name: string, shop: string): Promise<Credentials> {
    const credentials = new Credentials(world, await new AppPerson(world).signIn(name), shop);
    await credentials.#getClientToken();
    return credentials;
  }

  /** Asks for an action as the client. @returns the address of its page */
  async requestAction(sub: string): Promise<string> {
    const headers = { authorization: `Bearer ${this.#clientToken}` };
    const answer = await new Agent().post(`${this.#world.issuer}/qr/actions`, { headers, json: { title: 'Pay', sub } });
    if (answer.status !== 201) throw new Error(`the client cannot ask: ${answer.status} ${answer.text}`);
    return `${answer.json().url}`;
  }

  /** Sends a right request of the app. */
  send(method: string, path: string, body?: object): Promise<Answer> {
    return this.app.request(method, path, { claims: this.#claims, ...(body !== undefined && { body }) });
  }

  /**
   * Returns the headers with the token that the request names. The bystander's app token is stolen, but its key is not,
   * so the sender proves its own key. The bystander's client token is a bearer token, so the sender has it only with a
   * change.
   * @param path the path as it is sent, below the issuer
   */
  async headersFor(fuzzed: FuzzRequest, path: string, theirs: Credentials): Promise<[string, string][]> {
    const { owner, change } = fuzzed.authorization;
    const whose = owner === 'theirs' ? theirs : this;
    if (owner === 'none' || fuzzed.route.tokenOf === undefined) return [];
    if (fuzzed.route.tokenOf === 'client')
      return [
        ['authorization', `Bearer ${owner === 'mine' ? this.#clientToken : applyChange(whose.#clientToken, change)}`],
      ];
    const token = whose.app.accessToken;
    return [
      ['authorization', `DPoP ${token}`],
      ['dpop', await this.app.prove(fuzzed.method, path, { token, claims: this.#claims })],
    ];
  }

  /** The clock of the plugin stands still, so proofs must have its time. */
  get #claims(): Record<string, number> {
    return { iat: Math.floor(this.#world.clock.now() / 1000) };
  }

  async #getClientToken(): Promise<void> {
    const basic = Buffer.from(`${this.#shop}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64');
    const form = { grant_type: 'client_credentials', scope: 'qr_action' };
    const headers = { authorization: `Basic ${basic}` };
    const answer = await new Agent().post(`${this.#world.issuer}/token`, { form, headers });
    if (answer.status !== 200) throw new Error(`the client gets no token: ${answer.text}`);
    this.#clientToken = `${answer.json().access_token}`;
  }
}
