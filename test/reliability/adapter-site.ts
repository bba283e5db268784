/** Runs the nodes of a provider in this process, one for each store, and sends the requests of visitors and an RP. */
import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Keyv } from 'keyv';
import type { Configuration } from 'oidc-provider';
import * as client from 'openid-client';
import { type Fixture, makeProvider } from '../fixtures/provider.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { networkTo } from '../support/balancer.ts';
import { fieldsIn } from '../support/relying-party.ts';
import { freePort, type RunningServer, serve } from '../support/server.ts';
import { CLIENT_ID, CLIENT_SECRET, PASSWORDS, RP_CALLBACK, testClient } from '../support/world.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

const CREDENTIALS = [CLIENT_ID, CLIENT_SECRET].map(encodeURIComponent).join(':');
const BASIC = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;

const verifier = client.randomPKCECodeVerifier();

/** A client that authenticates with a signed assertion (RFC 7523). */
const SERVICE_ID = 'service';
const { privateKey, publicKey } = await generateKeyPair('ES256');
const PUBLIC_JWK: JWK = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' };
const PROOF_JWK: JWK = await exportJWK(publicKey);

/** Returns a client assertion, as the form fields of one request. */
export async function assertionFor(issuer: string): Promise<Record<string, string>> {
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(SERVICE_ID)
    .setSubject(SERVICE_ID)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('1 minute')
    .sign(privateKey);
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return { client_id: SERVICE_ID, client_assertion_type: type, client_assertion: assertion };
}

/** Returns a DPoP proof (RFC 9449) for one request. @param token the access token that is sent with it */
export function proofFor(method: string, url: string, token?: string): Promise<string> {
  const ath = token && createHash('sha256').update(token).digest('base64url');
  return new SignJWT({ htm: method, htu: url, jti: randomUUID(), ...(ath && { ath }) })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: PROOF_JWK })
    .setIssuedAt()
    .sign(privateKey);
}

const configuration: Configuration = {
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    registration: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    ciba: {
      enabled: true,
      processLoginHint: (_ctx, hint) => (hint === 'alice' ? 'a11ce' : undefined),
      validateRequestContext: () => undefined,
      validateBindingMessage: () => undefined,
      verifyUserCode: () => undefined,
      triggerAuthenticationDevice: () => undefined,
    },
  },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
};

export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

export class AdapterSite {
  readonly issuer: string;
  readonly #nodes: readonly (RunningServer & Fixture)[];

  private constructor(issuer: string, nodes: readonly (RunningServer & Fixture)[]) {
    this.issuer = issuer;
    this.#nodes = nodes;
  }

  static async start(...stores: readonly Keyv[]): Promise<AdapterSite> {
    const issuer = `http://localhost:${await freePort()}`;
    const grants = ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_GRANT, CIBA_GRANT];
    const rp = testClient(CLIENT_ID, { grant_types: grants, backchannel_token_delivery_mode: 'poll' });
    const service = {
      client_id: SERVICE_ID,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt' as const,
      jwks: { keys: [PUBLIC_JWK] },
    };
    const nodes = stores.map((store) =>
      serve(() =>
        makeProvider({
          issuer,
          store,
          configuration,
          clients: [rp, service],
          proxy: true,
          qrLogin: { limits: false },
        }),
      ),
    );
    const started = await Promise.allSettled(nodes);
    const running = started.filter((node) => node.status === 'fulfilled').map((node) => node.value);
    const failed = started.find((node) => node.status === 'rejected');
    if (failed === undefined) return new AdapterSite(issuer, running);
    // Stop the other nodes, because there will be no site that stops them.
    await Promise.all(running.map((node) => node.stop()));
    throw failed.reason;
  }

  /** The number of nodes. */
  get size(): number {
    return this.#nodes.length;
  }

  provider(node: number): Fixture['provider'] {
    return this.#at(node).provider;
  }

  health(node: number): ReturnType<Fixture['qr']['health']> {
    return this.#at(node).qr.health();
  }

  network(node: number): typeof fetch {
    return networkTo(this.#at(node), this.issuer);
  }

  /** Returns a token with which a client may register itself. */
  initialAccessToken(node: number): Promise<string> {
    const { InitialAccessToken } = this.provider(node);
    return new InitialAccessToken().save();
  }

  visitor(): Visitor {
    return new Visitor(this);
  }

  /** Sends a form from the RP, with its client credentials. */
  ask(node: number, path: string, form: Record<string, string>, more: Record<string, string> = {}): Promise<Answer> {
    const headers = { accept: 'application/json', authorization: BASIC, ...more };
    return new Agent(headers, this.network(node)).post(this.issuer + path, { form });
  }

  /** Asks for a token for the client that authenticates with an assertion. */
  askAsService(node: number, assertion: Record<string, string>): Promise<Answer> {
    const agent = new Agent({ accept: 'application/json' }, this.network(node));
    return agent.post(`${this.issuer}/token`, { form: { grant_type: 'client_credentials', ...assertion } });
  }

  redeem(node: number, code: string, headers: Record<string, string> = {}): Promise<Answer> {
    const more = { redirect_uri: RP_CALLBACK, code_verifier: verifier };
    return this.ask(node, '/token', { grant_type: 'authorization_code', code, ...more }, headers);
  }

  refresh(node: number, token: string): Promise<Answer> {
    return this.ask(node, '/token', { grant_type: 'refresh_token', refresh_token: token });
  }

  me(node: number, token: string): Promise<Answer> {
    return new Agent({ authorization: `Bearer ${token}` }, this.network(node)).get(`${this.issuer}/me`);
  }

  /** Sends an access token that is bound to a key, with a DPoP proof (RFC 9449). */
  meWithProof(node: number, token: string, proof: string): Promise<Answer> {
    const headers = { authorization: `DPoP ${token}`, dpop: proof };
    return new Agent(headers, this.network(node)).get(`${this.issuer}/me`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map(({ qr }) => qr.close()));
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  #at(node: number): RunningServer & Fixture {
    const found = this.#nodes[node];
    if (found === undefined) throw new RangeError(`there is no node ${node}`);
    return found;
  }
}

/** A browser that sends its requests to one node. A test can change the node. */
export class Visitor {
  readonly agent: Agent;
  readonly #site: AdapterSite;
  node = 0;

  constructor(site: AdapterSite) {
    this.#site = site;
    this.agent = new Agent({}, (input, init) => site.network(this.node)(input, init));
  }

  /** Opens a page at a path of the provider. */
  open(path: string): Promise<Answer> {
    return this.agent.get(this.#site.issuer + path, { headers: { accept: 'text/html' } });
  }

  submit(path: string, form: Record<string, string>): Promise<Answer> {
    return this.agent.post(this.#site.issuer + path, { form, headers: { accept: 'text/html' } });
  }

  /** Signs in at the account page, with a password. @returns that page */
  async signIn(): Promise<Answer> {
    const page = await this.agent.follow(`${this.#site.issuer}/account`);
    const answer = await this.agent.post(page.url, { form: { name: 'alice', password: PASSWORDS.alice } });
    return this.agent.follow(new URL(answer.location, page.url));
  }

  /** Makes an authorization request and gives consent. @returns the authorization code */
  async code(parameters: Record<string, string> = request()): Promise<string> {
    let answer = await this.#goOn(`/auth?${new URLSearchParams(parameters)}`);
    if (!answer.headers.has('location')) {
      const granted = await this.agent.post(`${answer.url}/consent`, { json: {} });
      answer = await this.#goOn(`${granted.json().redirectTo}`);
    }
    const code = new URL(answer.location).searchParams.get('code');
    if (code === null) throw new Error(`the provider gave no authorization code: ${answer.location}`);
    return code;
  }

  /** Confirms a device code. The visitor is signed in, and has given consent to the RP before. @returns the page */
  async confirmDevice(userCode: string): Promise<Answer> {
    const { xsrf = '' } = fieldsIn((await this.open('/device')).text);
    return this.submit('/device', { xsrf, user_code: userCode, confirm: 'yes' });
  }

  #goOn(url: string): Promise<Answer> {
    return this.agent.follow(new URL(url, this.#site.issuer), (next) => next.href.startsWith(RP_CALLBACK));
  }
}

/** Returns the parameters of the RP's authorization request. */
export function request(): Record<string, string> {
  return {
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: RP_CALLBACK,
    scope: 'openid profile',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
}

const challenge = await client.calculatePKCECodeChallenge(verifier);

/** Returns the tokens in an answer. @throws Error if there are none */
export function tokensIn(answer: Answer): Tokens {
  const { access_token: access, refresh_token: refresh } = answer.json();
  if (typeof access !== 'string' || typeof refresh !== 'string') throw new Error(`no tokens: ${answer.text}`);
  return { access, refresh };
}
