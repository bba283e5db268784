import type { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { keyvAdapter, type QrLoginError } from '../../src/index.ts';
import type { Answer } from '../support/agent.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../support/world.ts';

const GERMAN = { accept: 'text/html', 'accept-language': 'de' };

/** Collects the errors that the provider reports from now on. */
function collectErrors({ provider }: World): { failed: QrLoginError[]; serverErrors: Error[]; koaErrors: unknown[] } {
  const heard = { failed: [] as QrLoginError[], serverErrors: [] as Error[], koaErrors: [] as unknown[] };
  // The errors are expected: Koa must not write them to standard error.
  provider.silent = true;
  const events: EventEmitter = provider;
  events.on('qr_login.failed', (_ctx: unknown, error: QrLoginError) => heard.failed.push(error));
  events.on('server_error', (_ctx: unknown, error: Error) => heard.serverErrors.push(error));
  events.on('error', (error: unknown) => heard.koaErrors.push(error));
  return heard;
}

function expectProtected({ headers }: Answer): void {
  expect(headers.get('content-security-policy')).to.include("frame-ancestors 'none'");
  expect(headers.get('cache-control')).to.equal('no-store');
  expect(headers.get('x-content-type-options')).to.equal('nosniff');
}

/** Runs an act at a provider with these files as its views. */
async function withViews(files: Record<string, string>, act: (world: World) => Promise<void>): Promise<void> {
  const views = mkdtempSync(join(tmpdir(), 'views-'));
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(views, file)), { recursive: true });
    writeFileSync(join(views, file), content);
  }
  try {
    await World.during({ qrLogin: { views } }, act);
  } finally {
    rmSync(views, { recursive: true });
  }
}

/** An adapter that throws a TypeError for these models once it is broken. */
function breakableAdapter(models: readonly string[]): { adapter: ReturnType<typeof keyvAdapter>; break: () => void } {
  let isBroken = false;
  const healthy = keyvAdapter(new Keyv());
  return {
    break: () => {
      isBroken = true;
    },
    adapter: (model) => {
      const adapter = healthy(model);
      const { find } = adapter;
      adapter.find = (id) => {
        if (isBroken && models.includes(model)) throw new TypeError(`${model} has no records`);
        return find.call(adapter, id);
      };
      return adapter;
    },
  };
}

/** Opens the QR page in a German browser, as a page and as JSON. */
async function openTwice(browser: BrowserPerson): Promise<{ page: Answer; json: Answer }> {
  const page = await browser.agent.get(browser.at, { headers: GERMAN });
  return { page, json: await browser.agent.get(browser.at, { headers: { accept: 'application/json' } }) };
}

describe('an unexpected fault in a route', () => {
  const FAULTY_VIEWS: Record<string, { files: Record<string, string>; says: RegExp }> = {
    'a template that throws': {
      files: { 'pages/qr.eta': "<% if (it.request.client.name === 'Test app') it.nothing.at.all; %>" },
      says: /nothing|undefined/,
    },
    'a text that one language lacks, on every page': {
      files: {
        'pages/brand.eta': "<p><%= it.t('motto.' + it.language) %></p>",
        'locales/en.json': '{ "motto.en": "since 1849" }',
      },
      says: /there is no text "motto\.de"/,
    },
  };

  for (const [what, { files, says }] of Object.entries(FAULTY_VIEWS)) {
    it(`is answered with our page in the user's language: ${what}`, () =>
      withViews(files, async (world) => {
        const browser = new BrowserPerson(world);
        await browser.start();
        const { failed, serverErrors, koaErrors } = collectErrors(world);
        const page = await browser.agent.get(browser.at, { headers: GERMAN });
        expect(page.status).to.equal(500);
        expect(page.text).to.include('<html lang="de"').and.to.include('data-error="server_error"');
        expect(page.text)
          .to.include('Noch einmal versuchen</a>')
          .and.not.to.match(/motto|nothing/);
        expectProtected(page);
        expect(failed.map(({ code }) => code)).to.deep.equal(['server_error']);
        expect(`${failed[0]?.cause}`).to.match(says);
        // Only the first error is compared: the faulty views may have broken the error page, too.
        expect(serverErrors[0]).to.equal(failed[0]?.cause);
        expect(koaErrors).to.deep.equal(serverErrors);
      }));
  }

  it('is answered: a store for the provider that throws a TypeError', async () => {
    const store = breakableAdapter(['Interaction']);
    await World.during({ configuration: { adapter: store.adapter } }, async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      store.break();
      const { failed, serverErrors, koaErrors } = collectErrors(world);
      const { page, json } = await openTwice(browser);
      expect([page.status, json.status]).to.deep.equal([500, 500]);
      expect(page.text).to.include('data-error="server_error"');
      expect(json.json()).to.have.all.keys('error', 'error_description').and.include({ error: 'server_error' });
      for (const answer of [page, json]) expectProtected(answer);
      expect(serverErrors.map(String)).to.deep.equal(Array(2).fill('TypeError: Interaction has no records'));
      expect(failed.map(({ cause }) => cause)).to.deep.equal(serverErrors);
      expect(koaErrors).to.deep.equal(serverErrors);
    });
  });

  it('is answered: otherWays() asks for a text that no language has', async () => {
    const otherWays = (_ctx: unknown, _interaction: unknown, t: (key: string) => string): never[] => [
      { path: 'password', label: t('no.such.text') } as never,
    ];
    await World.during({ qrLogin: { otherWays } }, async (world) => {
      const browser = new BrowserPerson(world);
      const { serverErrors } = collectErrors(world);
      const answer = await browser.start();
      expect(answer.status).to.equal(500);
      expectProtected(answer);
      expect(serverErrors.map(({ message }) => message)).to.deep.equal([
        'otherWays() failed: there is no text "no.such.text" in en.json',
      ]);
    });
  });

  it('is answered: a clock that throws, at each kind of URL', async () => {
    let isBroken = false;
    const clock = (): number => {
      if (isBroken) throw new TypeError('the clock stands still');
      return Date.now();
    };
    await World.during({ qrLogin: { clock } }, async (world) => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      await phone.scan(code);
      const { serverErrors } = collectErrors(world);
      isBroken = true;
      const answers = [
        await browser.agent.get(browser.at),
        await browser.agent.get(`${browser.at}/qr`),
        await browser.agent.post(`${browser.at}/qr/finish`, { json: {} }),
        await phone.land(code),
        await phone.look(),
        await phone.approve(),
      ];
      isBroken = false;
      for (const answer of answers) {
        expect(answer.status).to.be.oneOf([500, 503]);
        expectProtected(answer);
      }
      expect(serverErrors.map(String)).to.include('TypeError: the clock stands still');
      expect((await phone.approve()).json().state).to.equal('approved');
    });
  });

  it('is answered while the browser resumes: findAccount throws or is too slow', async () => {
    let fault: (() => never) | undefined;
    const findAccount = (): never => (fault === undefined ? { name: 'Alice' } : fault()) as never;
    await World.during({ qrLogin: { findAccount, deadlines: { hook: 1 } } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      const { redirectTo } = (await browser.finish()).json();
      const { failed } = collectErrors(world);
      fault = () => Promise.reject() as never;
      const thrown = await browser.goOn(String(redirectTo));
      fault = () => new Promise(() => undefined) as never;
      const slow = await browser.goOn(String(redirectTo));
      fault = undefined;
      expect([thrown.status, slow.status]).to.deep.equal([500, 503]);
      for (const answer of [thrown, slow]) expectProtected(answer);
      expect(failed.map(({ code }) => code)).to.deep.equal(['server_error', 'hook_timeout']);
      const arrived = await browser.arriveFrom(String(redirectTo));
      expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
    });
  });

  it("causes only a warning if a deployment's listener throws, and the step is done", async () => {
    await World.during({}, async (world) => {
      const mistake = new TypeError('the log is full');
      const warned = new Promise<void>((resolve) => {
        const listener = (warning: Error): void => {
          if (warning !== mistake) return;
          process.off('warning', listener);
          resolve();
        };
        process.on('warning', listener);
      });
      const events: EventEmitter = world.provider;
      events.on('qr_login.shown', () => {
        throw mistake;
      });
      expect((await new BrowserPerson(world).start()).status).to.equal(200);
      await warned;
    });
  });
});

describe("an error of the deployment's own page", () => {
  /** Returns the options of a world in which a page of the deployment throws this. */
  function throwing(error: unknown): WorldOptions {
    return {
      extend: ({ provider }) =>
        provider.use((ctx, next) => {
          if (ctx.path.endsWith('/broken')) throw error;
          return next();
        }),
    };
  }

  it('is left to the host', () =>
    World.during(throwing(new TypeError('of the deployment')), async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const { failed, koaErrors } = collectErrors(world);
      const answer = await browser.agent.get(`${browser.at}/broken`);
      expect(answer.status).to.equal(500);
      expect(answer.headers.get('content-type')).to.match(/^text\/plain/);
      expect(koaErrors.map(String)).to.deep.equal(['TypeError: of the deployment']);
      expect(failed).to.deep.equal([]);
    }));

  it('is answered even if the page throws undefined', () =>
    World.during(throwing(undefined), async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const { koaErrors } = collectErrors(world);
      for (const path of [`${browser.at}/broken`, `${world.issuer}/broken`]) {
        expect((await browser.agent.get(path)).status).to.equal(500);
      }
      expect(koaErrors.map(String)).to.deep.equal(Array(2).fill('Error: undefined was thrown, which is no Error'));
    }));
});

describe('a fault in a request of the phone', () => {
  it('is answered with our page', async () => {
    const store = breakableAdapter(['Session']);
    await World.during({ configuration: { adapter: store.adapter } }, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      store.break();
      const { serverErrors } = collectErrors(world);
      const answer = await phone.agent.get(`${world.issuer}/qr/devices`, { headers: GERMAN });
      expect(answer.status).to.equal(500);
      expectProtected(answer);
      expect(answer.text).to.include('data-error="server_error"');
      expect(serverErrors).to.have.length(1);
    });
  });
});
