import { mock } from 'node:test';
import { expect } from 'chai';
import type { AdapterPayload } from 'oidc-provider';
import * as client from 'openid-client';
import { browserId } from '../../../src/ticket/browsers/signed-in-browser.ts';
import { AppPerson } from '../../support/app.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { beginLateRequest } from '../../support/late-request.ts';
import { isSignedIn, ownBrowsers, signInBy } from '../../support/own-browsers.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { errorOf } from '../../support/relying-party.ts';
import {
  BrowserPerson,
  CLIENT_SECRET,
  PhonePerson,
  testClient,
  World,
  type WorldOptions,
} from '../../support/world.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const JSON_PLEASE = { accept: 'application/json' };

const OPTIONS: WorldOptions = {
  qrLogin: { durations: ['session', '8h', '30d'] },
  clients: [testClient('rp', { grant_types: ['authorization_code', 'refresh_token'] })],
  configuration: { issueRefreshToken: async (_ctx, { clientId }) => clientId === 'rp' },
};

/** Runs a test against a store in memory and against Redis. */
function inEachStore(name: string, act: (world: World) => Promise<void>): void {
  it(name, () => World.during(OPTIONS, act));
  it(`${name}, over Redis`, () => RedisWorld.during(OPTIONS, ({ world }) => act(world)));
}

describe('the time for which a browser stays signed in', () => {
  afterEach(() => mock.timers.reset());

  /** Lets time pass for this process. */
  const pass = (seconds: number): void => {
    const now = Date.now() + seconds * 1000;
    mock.timers.reset();
    mock.timers.enable({ apis: ['Date'], now });
  };

  inEachStore('is the one that the user has chosen on the phone, even if the browser is used often', async (world) => {
    const { browser, phone } = await world.meet();
    await signInBy(phone, browser, { duration: '8h' });
    expect(await secondsLeft(world, browser)).to.be.closeTo(8 * HOUR, 20);
    expect(await cookieSeconds(browser)).to.be.closeTo(8 * HOUR, 20);
    const [listed] = (await ownBrowsers(phone)).browsers;
    expect(listed).to.include({ duration: '8h', signedInBy: 'qr' });
    expect(listed?.endsIn).to.be.closeTo(8 * HOUR, 20);
    pass(7 * HOUR);
    expect(await isSignedIn(browser)).to.equal(true);
    expect(await secondsLeft(world, browser)).to.be.closeTo(HOUR, 20);
    pass(HOUR + 60);
    expect(await isSignedIn(browser)).to.equal(false);
    expect((await browser.start()).text).to.include('data-qr-login');
    expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
  });

  inEachStore(
    'is at most that of the provider, and with "session" lasts until the browser is closed',
    async (world) => {
      const { browser, phone } = await world.meet();
      await signInBy(phone, browser, { duration: '30d' });
      expect(await secondsLeft(world, browser)).to.be.closeTo(14 * DAY, 20);
      expect(await sessionOf(world, browser)).not.to.have.property('transient');
      const other = new BrowserPerson(world);
      await other.start();
      await signInBy(phone, other, { duration: 'session' });
      expect(await cookieSeconds(other)).to.equal(Number.POSITIVE_INFINITY);
      expect(await sessionOf(world, other)).to.include({ transient: true });
      expect((await ownBrowsers(phone)).browsers.map(({ duration }) => duration)).to.deep.equal(['session', '30d']);
    },
  );

  inEachStore(
    'can be changed on the list with immediate effect, and the cookie follows at the next visit',
    async (world) => {
      const { browser, phone } = await world.meet();
      await signInBy(phone, browser, { duration: '8h' });
      pass(7 * HOUR);
      expect((await change(phone, browser, '30d')).status).to.equal(200);
      // The browser was last used seven hours ago, and the provider keeps a session for two weeks after that.
      expect(await secondsLeft(world, browser)).to.be.closeTo(14 * DAY - 7 * HOUR, 20);
      // The browser keeps its cookie for the time that its latest visit has set.
      pass(HOUR / 2);
      expect(await isSignedIn(browser)).to.equal(true);
      expect(await cookieSeconds(browser)).to.be.closeTo(14 * DAY, 20);
      expect((await change(phone, browser, '8h')).status).to.equal(200);
      expect(await secondsLeft(world, browser)).to.be.closeTo(8 * HOUR, 20);
      expect((await change(phone, browser, 'session')).status).to.equal(200);
      expect(await isSignedIn(browser)).to.equal(true);
      expect(await cookieSeconds(browser)).to.equal(Number.POSITIVE_INFINITY);
      expect(await secondsLeft(world, browser)).to.be.closeTo(14 * DAY, 20);
    },
  );

  it('can be changed even while a request of the browser is under way that saves the old session', async () => {
    const { elsewhere, store } = Elsewhere.keyv();
    await World.during({ ...OPTIONS, store }, async (world) => {
      const { browser, phone } = await world.meet();
      await signInBy(phone, browser, { duration: '30d' });
      const finish = await beginLateRequest(`${world.issuer}/session/end/confirm`, browser.agent, elsewhere);
      expect((await change(phone, browser, '8h')).status).to.equal(200);
      expect(await finish()).to.equal(400);
      expect(await secondsLeft(world, browser)).to.be.closeTo(8 * HOUR, 20);
      expect((await ownBrowsers(phone)).browsers[0]).to.include({ duration: '8h' });
    });
  });

  it('can be changed on one node while the browser talks to another', () =>
    RedisWorld.during(OPTIONS, async (one) => {
      const two = await RedisWorld.start({ ...OPTIONS, issuer: one.world.issuer }, one.redis);
      try {
        const { browser, phone } = await one.world.meet();
        await signInBy(phone, browser, { duration: '30d' });
        expect((await change(phone, browser, '8h', two.world.origin)).status).to.equal(200);
        expect(await isSignedIn(browser)).to.equal(true);
        expect(await secondsLeft(one.world, browser)).to.be.closeTo(8 * HOUR, 20);
        const session = await sessionOf(one.world, browser);
        expect(await secondsLeft(two.world, browser)).to.be.closeTo(8 * HOUR, 20);
        expect(session?.lifetime).to.include({ duration: '8h' });
      } finally {
        await two.leave();
      }
    }));

  it('limits the refresh tokens that are bound to the session, and no others', async () => {
    await World.during(OPTIONS, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      const refresh = async (scope: Record<string, string>): Promise<() => Promise<unknown>> => {
        const browser = new BrowserPerson(world);
        browser.clientId = 'rp';
        await browser.start(scope);
        const { refresh_token: token = '' } = await browser.tokens(await signInBy(phone, browser, { duration: '8h' }));
        const rp = await client.discovery(new URL(world.issuer), 'rp', CLIENT_SECRET, undefined, {
          execute: [client.allowInsecureRequests],
        });
        return () => client.refreshTokenGrant(rp, token);
      };
      const [bound, offline] = [
        await refresh({}),
        await refresh({ scope: 'openid offline_access', prompt: 'consent' }),
      ];
      pass(8 * HOUR + 60);
      expect(await errorOf(bound())).to.equal('invalid_grant');
      expect(await offline()).to.have.property('access_token');
    });
  });

  it('is the longest one offered if a page or an app sends only "remember" as true, and the shortest one if false', async () => {
    await World.during(OPTIONS, async (world) => {
      const app = await new AppPerson(world).signIn();
      const chosen: unknown[] = [];
      for (const remember of [true, false]) {
        const browser = new BrowserPerson(world);
        await browser.start();
        await app.scan(await browser.code());
        await app.approve({ remember });
        await browser.arrive();
        chosen.push((await sessionOf(world, browser))?.lifetime);
      }
      expect(chosen.map((lifetime) => (lifetime as { duration?: string }).duration)).to.deep.equal(['30d', 'session']);
      const { browser, phone } = await world.meet();
      await signInBy(phone, browser, { remember: 'yes' });
      expect((await sessionOf(world, browser))?.lifetime).to.include({ duration: '30d' });
    });
  });

  it('makes the account trust the browser only if the duration is longer than a day', async () => {
    await World.during({ qrLogin: { durations: ['1d', '25h'] } }, async (world) => {
      for (const [duration, trusted] of [
        ['1d', 0],
        ['25h', 1],
      ] as const) {
        const { browser, phone } = await world.meet();
        await signInBy(phone, browser, { duration });
        expect((await ownBrowsers(phone)).known, duration).to.have.length(trusted);
      }
    });
  });

  it('is refused by the pages if the deployment does not offer it, and cannot be changed by another account', async () => {
    await World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.look()).json().durations).to.deep.equal(['session', '8h', '30d']);
      const refused = await phone.approve({ duration: '365d' });
      expect([refused.status, refused.json().error]).to.deep.equal([400, 'invalid_request']);
      expect(refused.json().error_description).to.equal('"duration" is one of these: session, 8h, 30d.');
      expect((await browser.ticket()).state).to.equal('scanned');
      await phone.approve({ duration: '8h' });
      await browser.arrive();
      expect((await change(phone, browser, '9h')).status).to.equal(400);
      const { csrf } = await ownBrowsers(phone);
      const json = { csrf, browser: 'unknown', duration: '8h' };
      const unknown = await phone.agent.post(`${world.issuer}/qr/devices`, { headers: JSON_PLEASE, json });
      expect(unknown.status).to.equal(404);
      const bob = await new PhonePerson(world).signIn('bob');
      expect((await change(bob, browser, '30d', world.issuer, phone)).status).to.equal(404);
    });
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.look()).json()).not.to.have.property('durations');
      const refused = await phone.approve({ duration: '8h' });
      expect(refused.json().error_description).to.include('offers no durations');
    });
  });

  it('cannot be changed by a browser that was itself signed in by QR, unless such browsers may approve', async () => {
    for (const [qrApprovers, status] of [
      [false, 403],
      [true, 200],
    ] as const) {
      await World.during({ qrLogin: { durations: ['8h', '30d'], qrApprovers } }, async (world) => {
        const { browser, phone } = await world.meet();
        await signInBy(phone, browser, { duration: '8h' });
        const { text } = await browser.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'text/html' } });
        expect(text.includes('name="duration"')).to.equal(qrApprovers);
        expect((await change(browser, browser, '30d')).status).to.equal(status);
      });
    }
  });

  it('starts again with the next sign-in, even one with a password', async () => {
    await World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet();
      await signInBy(phone, browser, { duration: '8h' });
      await browser.start({ prompt: 'login' });
      const form = { name: 'alice', password: 'wonderland' };
      const { location } = await browser.agent.post(`${browser.at}/password`, { form });
      await browser.arriveFrom(location);
      expect(await secondsLeft(world, browser)).to.be.closeTo(14 * DAY, 20);
      const [listed] = (await ownBrowsers(phone)).browsers;
      expect(listed).to.include({ signedInBy: 'password' }).and.not.to.have.property('duration');
      expect((await change(phone, browser, '8h')).status).to.equal(200);
      expect(await secondsLeft(world, browser)).to.be.closeTo(8 * HOUR, 20);
    });
  });

  it('can be listed and changed by apps', async () => {
    await World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet();
      await signInBy(phone, browser, { duration: '8h' });
      const app = await new AppPerson(world).signIn();
      const list = async (): Promise<Entries> => (await app.request('GET', '/qr/api/browsers')).json() as never;
      const { browsers, durations } = await list();
      expect(durations).to.deep.equal(['session', '8h', '30d']);
      const own = browsers.at(-1);
      expect(own).to.include({ signedInBy: 'password', isHere: true });
      const { id } = browsers.find(({ signedInBy }) => signedInBy === 'qr') ?? { id: '' };
      const send = async (body: object, of = id): Promise<number> =>
        (await app.request('POST', `/qr/api/browsers/${of}`, { body })).status;
      expect(await send({ duration: '30d' })).to.equal(204);
      expect(await secondsLeft(world, browser)).to.be.closeTo(14 * DAY, 20);
      expect((await list()).browsers.find((one) => one.id === id)).to.include({ duration: '30d' });
      expect(await send({ duration: '31d' })).to.equal(400);
      expect(await send({ duration: 8 })).to.equal(400);
      expect(await send({ duration: '8h', more: 1 })).to.equal(400);
      expect(await send({ duration: '8h' }, 'unknown')).to.equal(404);
      // All other sessions end, but not the session in which the app was granted its access.
      expect((await app.request('DELETE', '/qr/api/browsers')).status).to.equal(204);
      expect((await list()).browsers.map(({ isHere }) => isHere)).to.deep.equal([true]);
    });
  });

  it('is part of the decision that an app signs', async () => {
    const kept: unknown[] = [];
    const qrLogin = {
      ...OPTIONS.qrLogin,
      signedDecisions: true,
      onDecision: (_ctx: unknown, { duration }: { duration?: string }) => void kept.push(duration),
    };
    await World.during({ ...OPTIONS, qrLogin }, async (world) => {
      const app = await new AppPerson(world).signIn();
      const browser = new BrowserPerson(world);
      await browser.start();
      await app.scan(await browser.code());
      for (const [said, sent] of [
        ['8h', '30d'],
        [undefined, '8h'],
        ['8h', undefined],
      ]) {
        const signature = await app.sign('approve', { ...(said !== undefined && { duration: said }) });
        const answer = await app.approve({ ...(sent !== undefined && { duration: sent }), signature });
        expect(answer.status, `${said} ${sent}`).to.equal(400);
        expect(answer.json().error_description).to.include('"duration" must be');
      }
      const signature = await app.sign('approve', { duration: '8h' });
      expect((await app.approve({ duration: '8h', signature })).json().state).to.equal('approved');
      expect(kept).to.deep.equal(['8h']);
    });
  });
});

interface Entries {
  readonly browsers: readonly { readonly id: string; readonly signedInBy: string; readonly isHere: boolean }[];
  readonly durations: readonly string[];
}

function sessionOf(world: World, { agent }: BrowserPerson): Promise<AdapterPayload | undefined> {
  return world.sessionOf(agent);
}

/** Returns the seconds until the session of a browser ends. */
async function secondsLeft(world: World, browser: BrowserPerson): Promise<number> {
  return Number((await sessionOf(world, browser))?.exp) - Date.now() / 1000;
}

/** Returns the seconds for which a browser keeps its session cookie. Infinity means until it is closed. */
async function cookieSeconds({ agent, world }: BrowserPerson): Promise<number> {
  const cookie = (await agent.jar.getCookies(world.issuer)).find(({ key }) => key === '_session');
  const expires = cookie?.expires;
  return expires instanceof Date ? (expires.getTime() - Date.now()) / 1000 : Number.POSITIVE_INFINITY;
}

/**
 * Changes the duration of a browser on the list.
 * @param by the person who sends the change
 * @param seenBy the person on whose list the browser's id is looked up
 */
async function change(
  by: PhonePerson | BrowserPerson,
  browser: BrowserPerson,
  duration: string,
  origin: string = by.world.issuer,
  seenBy: PhonePerson | BrowserPerson = by,
): Promise<{ readonly status: number }> {
  const uid = (await browser.world.sessionOf(browser.agent))?.uid;

  const { all } = await ownBrowsers(seenBy);
  const [id = ''] = all.map((one) => one.id).filter((one) => one === browserId(`${uid}`));
  const { csrf } = await ownBrowsers(by, origin);
  const json = { csrf, browser: id, duration };
  return by.agent.post(`${origin}/qr/devices`, { headers: JSON_PLEASE, json });
}
