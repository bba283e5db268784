import { createServer, type RequestListener } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import Koa from 'koa';
import mount from 'koa-mount';
import { type Configuration, interactionPolicy, type Provider } from 'oidc-provider';
import { makeProvider } from '../../fixtures/provider.ts';
import { CLIENT_ID, RP_CALLBACK, testClient } from '../../fixtures/test-client.ts';
import { Agent, type Answer } from '../../support/agent.ts';
import { listen } from '../../support/server.ts';

interface Setup {
  /** The path of the issuer, and its scheme. */
  readonly path?: string;
  readonly scheme?: 'http' | 'https';
  readonly configuration?: (url: (uid: string) => string) => Configuration;
  readonly host?: (provider: Provider) => RequestListener;
  /** The path at which the host mounts the provider. */
  readonly at?: string;
  readonly environment?: 'production' | 'development';
}

/** The pages, warnings and events that an operator and a user see in a setup. */
class Site {
  readonly warnings: string[] = [];
  readonly faults: string[] = [];
  /** The causes of `qr_login.failed`. */
  readonly causes: string[] = [];
  start: (agent?: Agent) => Promise<Answer> = () => Promise.reject(new Error('not started'));
}

const PKCE = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };

/** Runs a site for one test. */
async function during(
  { path = '', scheme = 'http', configuration, host, at = path, environment = 'development' }: Setup,
  act: (site: Site) => Promise<void>,
): Promise<void> {
  const site = new Site();
  const server = createServer();
  const origin = await listen(server);
  const issuer = origin.replace('http', scheme) + path;
  const { provider, qr } = await makeProvider({
    issuer,
    clients: [testClient(CLIENT_ID)],
    configuration: configuration?.((uid) => `${path}/interaction/${uid}`) ?? {},
  });
  provider.on('server_error', (_ctx, error) => site.faults.push(error.message));
  (provider as NodeJS.EventEmitter).on('error', () => undefined);
  (provider as NodeJS.EventEmitter).on('qr_login.failed', (_ctx: unknown, { cause }: Error) => {
    if (cause instanceof Error) site.causes.push(cause.message);
  });
  server.on('request', host?.(provider) ?? provider.callback());
  const request = { client_id: CLIENT_ID, response_type: 'code', scope: 'openid', redirect_uri: RP_CALLBACK, ...PKCE };
  site.start = (agent = new Agent({ accept: 'text/html' })) =>
    agent.follow(`${origin}${at}/auth?${new URLSearchParams(request)}`);
  const note = ({ code, message }: Error & { code?: string }): void => {
    if (code === 'QR_LOGIN_WIRING') site.warnings.push(message);
  };
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = environment;
  process.on('warning', note);
  try {
    await act(site);
  } finally {
    process.off('warning', note);
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
    await qr.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Returns Express with an old interaction page in front of the provider, as in oidc-provider's own example. */
function besideOldPage(provider: Provider): RequestListener {
  const app = express();
  app.get('/interaction/:uid', (_request, response) => {
    response.send('<form>Password');
  });
  return app.use(provider.callback());
}

/** Returns Koa apps that are mounted in each other, with the provider in the innermost one. */
function nested(...paths: readonly string[]): (provider: Provider) => RequestListener {
  return (provider) => {
    const app = paths.reduceRight<Koa>((inner, path) => {
      const outer = new Koa();
      outer.keys = provider.keys ?? [];
      return outer.use(mount(path, inner));
    }, provider);
    return app.callback();
  };
}

const OTHER_POLICY = interactionPolicy.base();

const URL_FAULT = /^interactions\.url of the provider is not qr\.interactionUrl.*url: qr\.interactionUrl/;

describe('the wiring of the plugin', () => {
  it('causes no warnings if it is right', async () => {
    for (const setup of [{}, { path: '/oidc', host: nested('/oidc') }]) {
      await during(setup, async (site) => {
        for (let count = 0; count < 2; count++) expect((await site.start()).text).to.include('data-code><svg');
        expect([...site.warnings, ...site.faults, ...site.causes]).to.deep.equal([]);
      });
    }
  });

  const withoutUrl: Readonly<Record<string, NonNullable<Setup['configuration']>>> = {
    'without interactions': () => ({ interactions: undefined as never }),
    'with the policy only': () => ({ interactions: { policy: interactionPolicy.base() } }),
    'with a function of its own for the address of the QR page': (url) => ({
      interactions: { url: (_ctx, { uid }) => url(uid) },
    }),
    'with an address that does not exist': () => ({
      interactions: { url: (_ctx, { uid }) => `/in/${uid}` },
    }),
  };
  for (const [what, configuration] of Object.entries(withoutUrl)) {
    it(`has its mistake explained on the page in development, and in the log, ${what}`, async () => {
      await during({ configuration }, async (site) => {
        const page = await site.start();
        expect(page.status).to.be.within(400, 599);
        expect(page.text).to.include('interactions.url of the provider is not qr.interactionUrl');
        await site.start();
        expect(site.warnings).to.have.length(1);
        expect(site.warnings[0]).to.match(URL_FAULT);
        expect(site.faults[0]).to.match(URL_FAULT);
        expect(site.causes[0]).to.match(URL_FAULT);
      });
    });

    it(`has its mistake explained in the log only in production, ${what}`, async () => {
      await during({ configuration, environment: 'production' }, async (site) => {
        const page = await site.start();
        expect(page.status).to.equal(404);
        expect(page.text).not.to.include('qr.interactionUrl');
        expect(site.warnings).to.have.length(1);
        expect(site.faults).to.have.length(1);
      });
    });
  }

  it("does not affect a deployment's own prompt with its own page", async () => {
    const policy = interactionPolicy.base();
    const check = new interactionPolicy.Check('first', 'first of all', () => interactionPolicy.Check.REQUEST_PROMPT);
    policy.add(new interactionPolicy.Prompt({ name: 'welcome', requestable: false }, check), 0);
    const interactions = { policy, url: (): string => '/welcome' };
    await during({ configuration: () => ({ interactions }) }, async (site) => {
      expect((await site.start()).status).to.equal(404);
      expect([...site.warnings, ...site.faults]).to.deep.equal([]);
    });
  });

  it('has its mistake explained in the log if the provider has a policy other than qr.policy, and sign-ins still work', async () => {
    const configure = (qrUrl: unknown): Configuration => ({
      interactions: { policy: OTHER_POLICY, url: qrUrl as never },
    });
    const server = createServer();
    const issuer = await listen(server);
    const warnings: string[] = [];
    const note = ({ message }: Error): unknown => warnings.push(message);
    process.on('warning', note);
    // The plugin's `interactionUrl` is known only after the plugin is created.
    let interactionUrl: unknown;
    const { provider, qr } = await makeProvider({
      issuer,
      clients: [testClient(CLIENT_ID)],
      configuration: configure((...given: unknown[]) => Reflect.apply(interactionUrl as never, undefined, given)),
    });
    interactionUrl = qr.interactionUrl;
    server.on('request', provider.callback());
    try {
      const request = {
        client_id: CLIENT_ID,
        response_type: 'code',
        scope: 'openid',
        redirect_uri: RP_CALLBACK,
        ...PKCE,
      };
      const page = await new Agent().follow(`${issuer}/auth?${new URLSearchParams(request)}`);
      expect(page.text).to.include('data-code><svg');
      expect(warnings.join()).to.match(/interactions\.policy of the provider is not qr\.policy.*policy: qr\.policy/);
    } finally {
      process.off('warning', note);
      await qr.close();
      server.closeAllConnections();
      server.close();
    }
  });

  it('has its mistake explained if an old page of the app answers instead: in the log, and in development at the next sign-in', async () => {
    const fault = /^a route of your app has answered GET \/interaction\/[\w-]+ .* remove your old route GET/;
    await during({ host: besideOldPage }, async (site) => {
      expect((await site.start()).text).to.equal('<form>Password');
      const page = await site.start();
      expect(page.status).to.equal(500);
      expect(page.text).to.include('remove your old route GET /interaction/:uid');
      // The explanation is shown once, because the app may have this page on purpose.
      expect((await site.start()).text).to.equal('<form>Password');
      expect(site.warnings).to.have.length(1);
      expect(site.warnings[0]).to.match(fault);
      expect(site.faults[0]).to.match(fault);
    });
    await during({ host: besideOldPage, environment: 'production' }, async (site) => {
      for (let count = 0; count < 3; count++) expect((await site.start()).text).to.equal('<form>Password');
      expect(site.warnings).to.have.length(1);
      expect(site.faults).to.have.length(1);
    });
  });

  it('has its mistake explained if the Koa app that mounts the provider answers with a page of its own instead of the QR page', async () => {
    const host = (provider: Provider): RequestListener => {
      const app = new Koa();
      app.keys = provider.keys ?? [];
      app.use(async (ctx, next) => {
        if (!/^\/interaction\/[^/]+$/.test(ctx.path)) return next();
        ctx.body = 'Old';
      });
      return app.use(mount(provider)).callback();
    };
    await during({ host }, async (site) => {
      expect((await site.start()).text).to.equal('Old');
      expect(site.warnings[0]).to.match(/^a route of your app/);
    });
  });

  it('has its mistake explained if the host passes only some paths to the provider', async () => {
    const host = (provider: Provider): RequestListener => {
      const handle = provider.callback();
      return (request, response) => {
        if (request.url?.startsWith('/auth')) handle(request, response);
        else response.writeHead(404).end();
      };
    };
    await during({ host }, async (site) => {
      expect((await site.start()).status).to.equal(404);
      expect(site.warnings[0]).to.match(
        /^GET \/interaction\/[\w-]+, the QR page, did not reach the provider .*every path below \//,
      );
      expect((await site.start()).text).to.include('did not reach the provider');
    });
  });

  const mounts: Readonly<Record<string, [Setup, RegExp]>> = {
    'an issuer without a path in Koa at /oidc': [
      { at: '/oidc', host: nested('/oidc') },
      /^the provider is mounted at \/oidc, but the path of its issuer \S+ is \/: mount it at \/, or change the issuer to \S+\/oidc$/,
    ],
    'an issuer without a path in Express at /oidc': [
      { at: '/oidc', host: (provider) => express().use('/oidc', provider.callback()) },
      /^the provider is mounted at \/oidc, /,
    ],
    'an issuer with a path at the root': [
      { path: '/oidc', at: '' },
      /^the provider is mounted at \/, .* mount it at \/oidc/,
    ],
    'a mount in a mount': [
      { path: '/id/oidc', host: nested('/id', '/oidc') },
      /^the provider is below two mounts of koa-mount and sees only the inner one, \/oidc: mount it once, at \/id\/oidc/,
    ],
  };
  for (const [what, [setup, fault]] of Object.entries(mounts)) {
    it(`has its mistake explained: ${what}`, async () => {
      await during(setup, async (site) => {
        const page = await site.start();
        expect(page.status).to.equal(500);
        expect(page.text).to.include('mount it');
        expect(page.headers.get('location')).to.equal(null);
        await site.start();
        expect(site.warnings).to.have.length(1);
        expect(site.warnings[0]).to.match(fault);
        expect(site.faults[0]).to.match(fault);
      });
      await during({ ...setup, environment: 'production' }, async (site) => {
        expect((await site.start()).text).not.to.include('mount it');
        expect(site.warnings).to.have.length(1);
        expect(site.warnings[0]).to.match(fault);
      });
    });
  }

  it('has its mistake explained if the cookie of an interaction is not signed', async () => {
    const configuration = (): Configuration => ({
      cookies: { keys: ['a key that is long enough to sign with'], short: { signed: false } },
    });
    await during({ configuration }, async (site) => {
      const page = await site.start();
      expect(page.status).to.equal(500);
      expect(page.text).to.include('remove &quot;signed: false&quot; from cookies.short');
      expect(site.warnings).to.have.length(1);
      expect(site.warnings[0]).to.match(/^the provider does not sign the cookie of an interaction.*cookies\.short/);
    });
  });

  it('has its mistake explained if an https issuer gets its requests over http, from a proxy that is not declared', async () => {
    await during({ scheme: 'https' }, async (site) => {
      await site.start();
      expect(site.warnings).to.have.length(1);
      expect(site.warnings[0]).to.match(
        /^the issuer is https:\S+, but requests .* set provider\.proxy = true .*X-Forwarded-Proto/,
      );
    });
    const host = (provider: Provider): RequestListener => {
      provider.proxy = true;
      return provider.callback();
    };
    await during({ scheme: 'https', host }, async (site) => {
      await site.start(new Agent({ 'x-forwarded-proto': 'https' })).catch(() => undefined);
      expect(site.warnings).to.deep.equal([]);
    });
  });
});
