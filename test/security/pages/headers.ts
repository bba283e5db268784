/** Row 10 of the table in docs/security.md: the headers of each answer that restrict its use in browsers. */
import type { Middleware } from 'koa';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, oncePerSite } from '../attack.ts';
import { HTML, must, openConsentPage, signInPhone, startSignIn } from './visits.ts';

/** The URL, status and headers of an answer. */
export interface Head {
  readonly url: URL | string;
  readonly status: number;
  readonly headers: Headers;
}

const JSON_ONLY = { headers: { accept: 'application/json' } };
/** A limit that is low enough for a test to exceed. */
const LIMITED: WorldOptions = { qrLogin: { limits: { address: { watch: 12 } } } };

/** The harm that an attacker can do with an answer that lacks these headers. */
interface Loss {
  readonly name: string;
  readonly isOpen: (head: Head) => boolean;
  readonly headers: readonly string[];
}

const policyOf = ({ headers }: Head): string => headers.get('content-security-policy') ?? '';
const isAsset = ({ url, status }: Head): boolean => `${url}`.includes('/qr/assets/') && status < 400;

export const LOSSES: Loss[] = [
  {
    name: 'puts an answer into a frame',
    isOpen: (head) => !/frame-ancestors 'none'/.test(policyOf(head)) || head.headers.get('x-frame-options') !== 'DENY',
    headers: ['Content-Security-Policy', 'X-Frame-Options'],
  },
  {
    name: 'runs a script that it wrote into an answer',
    isOpen: (head) =>
      !/default-src 'none'.*base-uri 'none'/.test(policyOf(head)) ||
      /unsafe|\*|https?:|data:|blob:/.test(policyOf(head)),
    headers: ['Content-Security-Policy'],
  },
  {
    name: 'makes a browser interpret an answer as another type',
    isOpen: ({ headers }) => headers.get('x-content-type-options') !== 'nosniff',
    headers: ['X-Content-Type-Options'],
  },
  {
    name: 'finds an answer in a cache',
    isOpen: (head) => !isAsset(head) && !/no-store/.test(head.headers.get('cache-control') ?? ''),
    headers: ['Cache-Control'],
  },
  {
    name: 'reads the address of a page in the referrer',
    isOpen: ({ headers }) => !/^(no-referrer|same-origin)$/.test(headers.get('referrer-policy') ?? ''),
    headers: ['Referrer-Policy'],
  },
  {
    name: 'turns on the camera on a page that does not use it',
    isOpen: ({ url, headers }) =>
      headers.get('permissions-policy') !== (/\/qr\/scan$/.test(`${url}`) ? 'camera=(self)' : 'camera=()'),
    headers: ['Permissions-Policy'],
  },
  {
    name: 'loads an answer into its own page',
    isOpen: ({ headers }) =>
      headers.get('cross-origin-resource-policy') !== 'same-origin' || headers.has('access-control-allow-origin'),
    headers: ['Cross-Origin-Resource-Policy'],
  },
];

export const headerAttacks: Attack[] = LOSSES.map(({ name, isOpen, headers }) => ({
  row: 10,
  name,
  on: LIMITED,
  alone: false,
  without: { defence: headers.join(' and '), options: inFront(dropping(headers)) },
  run: async (site) => {
    const head = (await allHeads(site)).find(isOpen);
    return head && `${head.status} ${head.url}`;
  },
}));

const allHeads = oncePerSite(async (site) => {
  const heads: Head[] = [];
  for await (const head of everyAnswer(site)) heads.push(head);
  return heads;
});

function dropping(headers: readonly string[]): Middleware {
  return async (ctx, next) => {
    await next();
    if (!ctx.res.headersSent) for (const header of headers) ctx.remove(header);
  };
}

/** Yields every kind of answer of ours: pages, data, streams, redirects, files, and refusals with every status. */
async function* everyAnswer(site: Site): AsyncGenerator<Head> {
  const { browser, page } = await startSignIn(site);
  yield page;
  yield* files(browser, new URL(/src="([^"]+)"/.exec(page.text)?.[1] ?? '', site.issuer));
  yield* browserAnswers(site, browser);
  const phone = await signInPhone(site);
  yield* phoneAnswers(site, phone, browser);
  yield* lastAnswers(site, phone, browser);
}

async function* files({ agent }: BrowserVisitor, file: URL): AsyncGenerator<Head> {
  const loaded = must(await agent.get(file), 200);
  yield loaded;
  const etag = { 'if-none-match': loaded.headers.get('etag') ?? '', 'cache-control': 'max-age=0' };
  yield must(await agent.get(file, { headers: etag }), 304);
  yield must(await agent.get(new URL('none.js', file)), 404);
}

async function* browserAnswers(site: Site, browser: BrowserVisitor): AsyncGenerator<Head> {
  const { agent, at } = browser;
  const finish = `${at}/qr/finish`;
  const stream = await browser.events();
  stream.close();
  yield { url: `${at}/qr/events`, status: 200, headers: stream.response.headers };
  yield must(await agent.send(at, { method: 'HEAD' }), 200);
  yield must(await agent.send(`${at}/qr/events`, { method: 'HEAD' }), 200);
  yield must(await agent.get(`${at}/qr`), 200);
  yield must(await agent.get(`${at}/qr?after=x`), 400);
  yield must(await browser.submit(finish, {}), 409);
  yield must(await browser.post(finish, {}), 409);
  yield must(await agent.post(finish, { form: {}, headers: { origin: 'https://evil.example' } }), 403);
  yield must(await agent.post(finish, { form: { checkCode: '1'.repeat(5000) } }), 413);
  yield must(await agent.post(finish, { body: 'x', headers: { 'content-type': 'text/plain' } }), 415);
  yield must(await new BrowserVisitor(site).agent.get(at, HTML), 404);
}

async function* phoneAnswers(site: Site, phone: PhoneVisitor, browser: BrowserVisitor): AsyncGenerator<Head> {
  const code = await browser.code();
  yield must(await new PhoneVisitor(site).agent.get(code, HTML), 303);
  yield must(await new PhoneVisitor(site).agent.get(code, JSON_ONLY), 401);
  yield must(await phone.agent.get(`${site.issuer}/qr/${UNKNOWN_CODE}`, HTML), 404);
  yield must(await phone.agent.get(`${site.issuer}/qr/tickets/none`, HTML), 404);
  yield must(await phone.agent.get(`${site.issuer}/qr/scan`, HTML), 200);
  yield must(await phone.agent.get(`${site.issuer}/qr/manifest.webmanifest`), 200);
  yield must(await phone.agent.get(code, HTML), 200);
  const { csrf } = must(await phone.look(code), 200).json();
  yield must(await phone.submit(code, { csrf: 'forged' }), 403);
  const scanned = must(await phone.submit(code, { csrf: `${csrf}` }), 303);
  yield scanned;
  phone.at = new URL(scanned.location, code).href;
  yield must(await phone.agent.get(phone.at, HTML), 200);
  yield must(await phone.look(), 200);
  yield must(await phone.submit(phone.at, { csrf: `${csrf}`, decision: 'deny' }), 303);
  yield must(await phone.agent.get(phone.at, HTML), 200);
}

async function* lastAnswers(site: Site, phone: PhoneVisitor, browser: BrowserVisitor): AsyncGenerator<Head> {
  yield must(await browser.submit(`${browser.at}/qr/renew`, {}), 303);
  yield await limited(browser);
  yield must(await browser.submit(`${browser.at}/cancel`, {}), 303);
  const { browser: another, page } = await startSignIn(site);
  const [, code = ''] = /data-address href="([^"]+)"/.exec(page.text) ?? [];
  must(await phone.scan(code), 200);
  yield await openConsentPage(phone, another);
  // A ticket that has ended, on the phone that owned it.
  yield must(await phone.agent.get(phone.at, HTML), 200);
}

async function limited({ agent, at }: BrowserVisitor): Promise<Head> {
  for (let tries = 0; tries < 20; tries++) {
    const answer = await agent.get(`${at}/qr`);
    if (answer.status === 429) return answer;
  }
  throw new Error('there is no limit');
}
