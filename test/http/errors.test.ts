import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { GENEROUS, storesMayTake } from '../stores/patience.ts';
import type { Agent, Answer, RequestOptions } from '../support/agent.ts';
import { idIn } from '../support/codes.ts';
import { RedisWorld, type SentScript } from '../support/redis-world.ts';
import { BrowserPerson, type PhonePerson, RP_CALLBACK, type World } from '../support/world.ts';
import { ACTION_ROUTES } from './actions/actions.ts';

/** The routes of `src/http/routes.ts` that access the store. */
const ROUTES = [
  'GET /interaction/:uid',
  'GET /interaction/:uid/qr',
  'GET /interaction/:uid/qr/events',
  'GET /interaction/:uid/qr/app',
  'POST /interaction/:uid/qr/renew',
  'POST /interaction/:uid/qr/finish',
  'POST /interaction/:uid/qr/key',
  'POST /interaction/:uid/qr/enrol',
  'POST /interaction/:uid/qr/ask',
  'GET /interaction/:uid/qr/passkey',
  'POST /interaction/:uid/qr/passkey',
  'POST /interaction/:uid/qr/new-passkey',
  'POST /interaction/:uid/consent',
  'POST /interaction/:uid/cancel',
  'GET /qr/scan',
  'POST /qr/scan',
  'GET /qr/devices',
  'POST /qr/devices',
  'GET /qr/tickets/:id',
  'POST /qr/tickets/:id',
  'GET /qr/requests/:id',
  'POST /qr/requests/:id',
  'GET /qr/:code',
  'POST /qr/:code',
];

/** The routes of files, which are not in the store. */
const FILES = ['GET /qr/assets/:name', 'GET /qr/logos/:client', 'GET /qr/manifest.webmanifest'];

const KINDS = ['page', 'JSON'] as const;
type Kind = (typeof KINDS)[number];

/** A browser and a phone in one state of a sign-in. */
interface Scene {
  readonly state: string;
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  readonly code: string;
  readonly csrf: string;
}

/** A request that was made while the store could not be reached, and its answer. */
interface OutageAnswer {
  readonly name: string;
  readonly agent: Agent;
  readonly answer: Answer;
  readonly asksForPage: boolean;
}

describe('a store that does not answer', () => {
  storesMayTake(GENEROUS);

  let there: RedisWorld;
  let scenes: Scene[];
  let asked: OutageAnswer[];
  let files: Answer[];

  before(async () => {
    there = await RedisWorld.start({ qrLogin: { shortCode: true } });
    scenes = await everyState(there.world);
    const page = (await there.world.meet()).browser;
    const { text } = await page.agent.get(page.at);
    const [, file = ''] = /src="([^"]+\.js[^"]*)"/.exec(text) ?? [];

    there.pause();
    const [first, ...others] = scenes;
    // The first requests wait until the time-out. The later ones fail immediately, because the store is known to be
    // down.
    asked = await askEverything(first);
    for (const scene of others) asked.push(...(await askEverything(scene)));
    files = [
      await page.agent.get(new URL(file, there.world.origin)),
      await page.agent.get(`${there.world.issuer}/qr/manifest.webmanifest`),
    ];
    await there.resume();
  });

  after(() => there?.stop());

  it('is tested with every URL', () => {
    const routes = readFileSync(new URL('../../src/http/routes.ts', import.meta.url), 'utf8');
    const urls = [...routes.matchAll(/^ {2}at\('([^']+)', \{(.*?)\}\);$/gms)];
    const all = urls.flatMap(([, path, methods = '']) =>
      [...methods.matchAll(/\b(get|post):/g)].map(([, method]) => `${method}`.toUpperCase().concat(` ${path}`)),
    );
    // The routes of actions are tested in actions/action-requests-outage.test.ts.
    expect(all).to.have.members([...ROUTES, ...FILES, ...ACTION_ROUTES]);
    expect(asked).to.have.length(ROUTES.length * KINDS.length * 6);
  });

  it('makes every URL answer 503 with Retry-After, in every state', () => {
    for (const { name, answer } of asked) {
      expect(answer.status, name).to.equal(503);
      expect(answer.headers.get('retry-after'), name).to.equal('2');
      expect(answer.headers.get('cache-control'), name).to.equal('no-store');
    }
  });

  it('is reported to scripts by an error code', () => {
    for (const { name, answer } of asked.filter(({ asksForPage }) => !asksForPage)) {
      expect(answer.headers.get('content-type'), name).to.match(/^application\/json/);
      expect(answer.json(), name).to.have.all.keys('error', 'error_description');
      expect(answer.json().error, name).to.equal('store_unavailable');
    }
  });

  it('is reported to users by a page, with one link that works once the store is back', async () => {
    for (const { name, agent, answer } of asked.filter(({ asksForPage }) => asksForPage)) {
      expect(answer.headers.get('content-type'), name).to.match(/^text\/html/);
      expect(answer.text, name).to.include('data-error="store_unavailable"');
      const links = [...answer.text.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)</g)];
      expect(
        links.map(([, , text]) => text),
        name,
      ).to.deep.equal(['Try again']);
      const link = new URL(links[0]?.[1] ?? '', answer.url);
      if (name.includes('/interaction/')) expect(link.pathname, name).to.match(/^\/interaction\/[\w-]+$/);
      const again = await agent.get(link, { headers: { accept: 'text/html' } });
      // A signed-in browser is redirected. A ticket that no phone has scanned is unknown to the phone. A sign-in is
      // unknown at `/qr/requests/`, because it is no request without a browser.
      const good = name.endsWith('redeemed') && name.includes('/interaction/') ? 303 : 200;
      const unclaimed = name.endsWith('waiting') && name.includes('/qr/tickets/');
      const unknown = unclaimed || name.includes('/qr/requests/');
      expect(again.status, name).to.equal(unknown ? 404 : good);
    }
  });

  it('does not affect the files of the pages', () => {
    expect(files.map(({ status }) => status)).to.deep.equal([200, 200]);
  });

  it('does not change the state of any sign-in: each can be completed', async () => {
    for (const { state, browser, phone, code } of scenes) {
      if (state === 'waiting') expect((await phone.scan(code)).status).to.equal(200);
      if (state === 'waiting' || state === 'scanned') expect((await phone.approve()).json().state).to.equal('approved');
      if (state === 'denied') {
        const { location } = await browser.goOn(String((await browser.finish()).json().redirectTo));
        expect(new URL(location).searchParams.get('error')).to.equal('access_denied');
        continue;
      }
      const arrived = state === 'consent' ? await browser.arriveFrom(browser.at) : await browser.arrive();
      expect((await browser.tokens(arrived)).claims()?.sub, state).to.equal('a11ce');
    }
  });
});

describe('a provider whose store stops answering in the middle of a request', () => {
  storesMayTake(GENEROUS);

  let there: RedisWorld;

  before(async () => {
    there = await RedisWorld.start();
  });

  after(() => there?.stop());

  const expectUnavailable = (answer: Answer): void => {
    expect(answer.status).to.equal(503);
    expect(answer.headers.get('retry-after')).to.equal('2');
  };
  const isTicket = ({ keys }: SentScript): boolean => keys.some((key) => key.includes(':ticket:'));
  const isInteraction = ({ keys }: SentScript): boolean => keys.some((key) => key.includes('oidc:Interaction#'));

  for (const [decision, state] of Object.entries({ approve: 'approved', deny: 'denied' })) {
    it(`loses no decision to ${decision}: the page of the phone shows it afterwards`, async () => {
      const { browser, phone } = await there.world.meet();
      await phone.scan(await browser.code());
      there.pauseAt(isTicket);
      const form = { csrf: phone.csrf, decision };
      const answer = await phone.agent.post(phone.at, { form, headers: { accept: 'text/html' } });
      expectUnavailable(answer);
      await there.resume();

      const [, link = 'none'] = /href="([^"]*)">Try again/.exec(answer.text) ?? [];
      const page = await phone.agent.follow(new URL(link, answer.url));
      expect(page.status).to.equal(200);
      expect(page.text).to.include(`<h1>${decision === 'approve' ? 'Approved' : 'Declined'}</h1>`);
      expect((await browser.ticket()).state).to.equal(state);
      // The same decision again gets the answer that the first one would have had.
      expect((await phone.decide(decision)).json()).to.include({ state });
    });
  }

  it('accepts a repeated scan by the same phone after the store was late to confirm the first', async () => {
    const { browser, phone } = await there.world.meet();
    const code = await browser.code();
    there.pauseAt(isTicket);
    expectUnavailable(await phone.scan(code));
    await there.resume();
    expect((await browser.ticket()).state).to.equal('scanned');
    expect((await phone.scan(code)).status).to.equal(200);
    expect((await phone.approve()).json().state).to.equal('approved');
  });

  const WRITES = { 'the ticket': isTicket, 'the interaction': isInteraction };
  for (const [what, isIt] of Object.entries(WRITES)) {
    it(`accepts a repeated finish after the store was late to confirm ${what}`, async () => {
      const { browser, phone } = await there.world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      there.pauseAt(isIt);
      expectUnavailable(await browser.finish());
      await there.resume();
      expect((await browser.finish()).status).to.equal(200);
      expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
    });

    it(`accepts a repeated cancellation after the store was late to confirm ${what}`, async () => {
      const { browser } = await there.world.meet();
      there.pauseAt(isIt);
      const cancel = (): Promise<Answer> => browser.agent.post(`${browser.at}/cancel`, { json: {} });
      expectUnavailable(await cancel());
      await there.resume();
      const { location } = await browser.goOn(String((await cancel()).json().redirectTo));
      expect(new URL(location).searchParams.get('error')).to.equal('access_denied');
    });
  }

  it('shows the same new code for a repeated renewal after the store was late to confirm the first', async () => {
    const { browser } = await there.world.meet();
    const { version } = await browser.ticket();
    const before = idIn(await browser.code());
    const renew = (): Promise<Answer> =>
      browser.agent.post(`${browser.at}/qr/renew`, { json: { version: `${version}` } });
    there.pauseAt(isTicket);
    expectUnavailable(await renew());
    await there.resume();
    const late = await browser.code();
    expect(idIn(late)).not.to.equal(before);
    expect((await renew()).status).to.equal(200);
    expect(idIn(await browser.code())).to.equal(idIn(late));
  });

  it('accepts a repeated consent after the store was late to confirm the first', async () => {
    const { browser, phone } = await there.world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    const consent = await browser.goOn(String((await browser.finish()).json().redirectTo));
    const grant = (): Promise<Answer> => browser.agent.post(`${consent.url}/consent`, { json: {} });
    there.pauseAt(({ keys }) => keys.some((key) => key.includes('oidc:Grant#')));
    expectUnavailable(await grant());
    await there.resume();
    const arrived = await browser.goOn(String((await grant()).json().redirectTo));
    expect(arrived.location.startsWith(RP_CALLBACK)).to.equal(true);
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });

  it('answers 503 with Retry-After at the URLs of oidc-provider itself, without a redirect to the app', async () => {
    const { browser, phone } = await there.world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    const { redirectTo } = (await browser.finish()).json();
    there.pause();
    const resumed = await browser.goOn(String(redirectTo));
    const started = await new BrowserPerson(there.world).start();
    await there.resume();
    for (const answer of [resumed, started]) {
      expectUnavailable(answer);
      expect(answer.location).to.equal('');
    }
    const arrived = await browser.arriveFrom(String(redirectTo));
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });
});

/** Returns a browser and a phone for each state of a sign-in. */
async function everyState(world: World): Promise<Scene[]> {
  const steps: Record<string, (scene: Omit<Scene, 'state'>) => Promise<unknown>> = {
    scanned: ({ phone, code }) => phone.scan(code),
    approved: ({ phone }) => phone.approve(),
    denied: ({ phone }) => phone.deny(),
    redeemed: ({ browser }) => browser.finish(),
    consent: async ({ browser }) => {
      const page = await browser.goOn(String((await browser.finish()).json().redirectTo));
      browser.at = page.url.href;
    },
  };
  const paths: Record<string, string[]> = {
    waiting: [],
    scanned: ['scanned'],
    approved: ['scanned', 'approved'],
    denied: ['scanned', 'denied'],
    redeemed: ['scanned', 'approved', 'redeemed'],
    consent: ['scanned', 'approved', 'consent'],
  };
  const scenes: Scene[] = [];
  for (const [state, path] of Object.entries(paths)) {
    const pair = await world.meet();
    const code = await pair.browser.code();
    const csrf = String((await pair.phone.land(code)).json().csrf);
    const scene = { ...pair, code, csrf };
    for (const step of path) await steps[step]?.(scene);
    scenes.push({ ...scene, state });
  }
  return scenes;
}

function askEverything(scene: Scene | undefined): Promise<OutageAnswer[]> {
  if (scene === undefined) throw new Error('there is no such state');
  return Promise.all(ROUTES.flatMap((route) => KINDS.map((kind) => ask(scene, route, kind))));
}

async function ask(scene: Scene, route: string, kind: Kind): Promise<OutageAnswer> {
  const { state, browser, phone, code, csrf } = scene;
  const [method = '', path = ''] = route.split(' ');
  const isBrowsers = path.startsWith('/interaction/');
  const { agent } = isBrowsers ? browser : phone;
  const url = isBrowsers
    ? browser.at + path.replace('/interaction/:uid', '')
    : path === '/qr/:code'
      ? code
      : new URL(path.replace(':id', idIn(code)), code);
  const fields: Record<string, string> = isBrowsers ? {} : { csrf, decision: 'approve' };
  const body: RequestOptions = method === 'GET' ? {} : kind === 'page' ? { form: fields } : { json: fields };
  const accept = kind === 'page' ? 'text/html' : 'application/json';
  const answer = await agent.send(url, { method, ...body, headers: { accept } });
  // The ticket itself, and the options for a passkey, are for scripts only, so they have no error page.
  const isForScripts = /\/qr(\/events)?$/.test(path) || route === 'GET /interaction/:uid/qr/passkey';
  const asksForPage = kind === 'page' && !isForScripts;
  return { name: `${route} as ${kind}, ${state}`, agent, answer, asksForPage };
}
