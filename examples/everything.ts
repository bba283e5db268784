/**
 * `npm start -- --everything`: providers with other settings, made on demand, so that `npm run attack` finds each
 * setting that an attack is about. It is for tests on one's own machine only.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Configuration, Provider } from 'oidc-provider';
import { assessByDefault, type LimitOptions, type Place, type QrLoginOptions, type Verdict } from '../src/index.ts';
import type { Accounts } from './accounts.ts';
import { type Example, makeExample, makeInitialAccessToken } from './provider.ts';
import type { Secrets } from './secrets.ts';

/** The setting of a provider, as JSON. A part that is left out is off. */
export interface Setting {
  readonly passkeys?: boolean;
  readonly shortCode?: boolean;
  /** The verdict on every sign-in, or the plugin's default assessment. */
  readonly assess?: Verdict | 'by default';
  readonly limits?: LimitOptions;
  readonly proxy?: boolean;
  readonly maxIpsCount?: number;
  /** The place of every address. */
  readonly place?: Place;
  /** The name of every account. */
  readonly accountName?: string;
  /** The provider's own `scopes` and `claims`, instead of the example's. */
  readonly scopes?: readonly string[];
  readonly claims?: NonNullable<Configuration['claims']>;
  /** The provider's lifetimes in seconds, in place of the example's. */
  readonly ttl?: Readonly<Record<string, number>>;
  /** The apps that may approve. */
  readonly apps?: NonNullable<QrLoginOptions['apps']>;
}

/** The answer to `POST /settings`. */
export interface MadeProvider {
  readonly issuer: string;
  readonly initialAccessToken: string;
}

export interface OnDemandPorts {
  readonly issuer: string;
  readonly secrets: Secrets;
  readonly accounts: Accounts;
  /** The provider that issues and verifies the initial access token without which no others are made. */
  readonly provider: Provider;
}

/** The most providers that exist at a time. A further one takes the place of the oldest one. */
const MOST_PROVIDERS = 20;

export class ProvidersOnDemand {
  readonly #ports: OnDemandPorts;
  readonly #path: string;
  readonly #served = new Map<string, Pick<Example, 'qr'> & { readonly listener: RequestListener }>();
  #made = 0;

  constructor(ports: OnDemandPorts) {
    this.#ports = ports;
    this.#path = `${new URL(ports.issuer).pathname.replace(/\/$/, '')}/settings`;
  }

  /** Returns a listener that serves these providers and passes other requests on. */
  before(others: RequestListener): RequestListener {
    return (request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://any');
      if (pathname === this.#path) return void this.#answer(request, response);
      if (!pathname.startsWith(`${this.#path}/`)) return others(request, response);
      const served = this.#served.get(pathname.slice(this.#path.length + 1).split('/')[0] ?? '');
      if (served === undefined) return response.writeHead(404).end();
      return served.listener(request, response);
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#served.values()].map(({ qr }) => qr.close()));
  }

  /** `POST /settings` with the initial access token: makes a provider with the setting in the body. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
      const isAllowed = (await this.#ports.provider.InitialAccessToken.find(token)) !== undefined;
      if (!isAllowed) return void response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
      if (request.method !== 'POST') return void response.writeHead(405, { Allow: 'POST' }).end();
      const made = await this.#make((await json(request)) as Setting);
      response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(made));
    } catch (error) {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(`${error}`);
    }
  }

  async #make({ passkeys, proxy, maxIpsCount, scopes, claims, ttl, ...setting }: Setting): Promise<MadeProvider> {
    const { issuer: main, provider: _gate, ...shared } = this.#ports;
    this.#made += 1;
    const issuer = `${main}/settings/${this.#made}`;
    const example = makeExample({
      ...shared,
      issuer,
      clients: [],
      ...(passkeys !== undefined && { passkeys }),
      ...(proxy !== undefined && { proxy }),
      ...(maxIpsCount !== undefined && { maxIpsCount }),
      qrLogin: optionsOf(setting),
      configuration: { ...(scopes && { scopes: [...scopes] }), ...(claims && { claims }), ...(ttl && { ttl }) },
    });
    await this.#keep(`${this.#made}`, example);
    return { issuer, initialAccessToken: await makeInitialAccessToken(example.provider) };
  }

  async #keep(name: string, { app, qr }: Example): Promise<void> {
    this.#served.set(name, { qr, listener: app.callback() });
    const [oldest] = this.#served.keys();
    if (oldest === undefined || this.#served.size <= MOST_PROVIDERS) return;
    await this.#served.get(oldest)?.qr.close();
    this.#served.delete(oldest);
  }
}

function optionsOf({
  shortCode = false,
  assess = 'allow',
  limits,
  place,
  accountName,
  apps,
}: Setting): Partial<QrLoginOptions> {
  return {
    shortCode,
    limits: limits ?? false,
    assess: assess === 'by default' ? assessByDefault : () => assess,
    ...(place !== undefined && { locate: () => place }),
    ...(apps !== undefined && { apps }),
    ...(accountName !== undefined && { findAccount: () => ({ name: accountName }) }),
  };
}
