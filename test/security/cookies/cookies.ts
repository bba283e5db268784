/**
 * Row 21 of the table in docs/security.md: our cookies are limited to their browser, path and site, and contain only
 * values that the server has written.
 */
import type { Context, Next } from 'koa';
import { Cookies } from '../../../src/http/request/cookies.ts';
import type { Agent } from '../../support/agent.ts';
import { CODE_LENGTH, ID_LENGTH } from '../../support/codes.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, replacing } from '../attack.ts';
import { must, signInPhone } from '../pages/visits.ts';

const BINDING = '_qr_browser';
const SEEN = '_qr_seen';
/** The cookies of the phone's pages. */
const ON_PHONE = [SEEN, '_qr_sign_in'];

/** A cookie as a jar keeps it. */
interface Cookie {
  readonly key: string;
  readonly path?: string;
  readonly httpOnly?: boolean;
  readonly sameSite?: string;
}

/** A server that accepts a binding without a signature. */
const unsignedBinding = replacing(Cookies.prototype, 'binding', () => (ctx, uid) => {
  const value = ctx.cookies.get(BINDING, { signed: false });
  return value?.startsWith(`${uid}.`) ? value : undefined;
});

const unsignedSeen = replacing(Cookies.prototype, 'hasFreshCode', () => (ctx, code, now) => {
  const [seen, until] = (ctx.cookies.get(SEEN, { signed: false }) ?? '').split('.');
  return seen === code && Number(until) > now;
});

export const attacks: Attack[] = [
  attackOnKeptCookies('reads a cookie of ours with a script', /; ?httponly/gi, 'HttpOnly', ({ httpOnly }) => !httpOnly),
  attackOnKeptCookies('sends a cookie of ours from another site', /; ?samesite=\w+/gi, 'SameSite', ({ sameSite }) => {
    return sameSite !== 'lax' && sameSite !== 'strict';
  }),
  attackOnKeptCookies('receives a cookie of ours at a page that does not need it', /; ?path=[^;]+/gi, 'Path', isWide),
  {
    row: 21,
    name: "opens an interaction with the provider's stolen cookie and a forged binding",
    without: { defence: 'the signature of the binding', patch: unsignedBinding },
    run: async (site) => {
      for (const forge of BINDINGS) {
        const got = await openWith(site, forge);
        if (got !== undefined) return got;
      }
      return undefined;
    },
  },
  {
    row: 21,
    name: 'opens a code that was never on a screen, with a forged note that it was',
    without: { defence: 'the signature of that note', patch: unsignedSeen },
    run: async (site) => {
      const victim = new BrowserVisitor(site);
      await victim.start();
      const code = await victim.code();
      const attacker = await signInPhone(site, 'bob');
      const forged = code.slice(0, ID_LENGTH - CODE_LENGTH) + 'A'.repeat(CODE_LENGTH - ID_LENGTH);
      const note = `${SEEN}=${forged.slice(-CODE_LENGTH)}.${Date.now() + 60_000}`;
      for (const cookies of [
        note,
        `${note}; ${SEEN}.sig=${'A'.repeat(27)}`,
        `${note}; ${await ownNote(site, attacker)}`,
      ]) {
        const others = await attacker.agent.jar.getCookieString(forged);
        const headers = { accept: 'application/json', cookie: `${cookies}; ${others}` };
        const landed = await attacker.agent.get(forged, { headers });
        if (landed.status === 200) return landed.text;
      }
      // The real code can be opened, which proves that the attack failed because of its forged note.
      must(await attacker.look(code), 200);
      return undefined;
    },
  },
];

/** Makes an attack on the cookies that a browser and a phone have after a whole sign-in. */
function attackOnKeptCookies(
  name: string,
  attribute: RegExp,
  what: string,
  isOpen: (cookie: Cookie, startPath: string) => boolean,
): Attack {
  return {
    row: 21,
    name,
    without: {
      defence: what,
      options: rewritingCookies((cookie) => cookie.replace(attribute, what === 'Path' ? '; path=/' : '')),
    },
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      await browser.start();
      const phone = await signInPhone(site);
      must(await phone.scan(await browser.code()), 200);
      must(await phone.decide('approve'), 200);
      must(await browser.finish(), 200);
      const all = await Promise.all([browser, phone].map(({ agent }) => ours(agent)));
      const kept = all.flat();
      if (new Set(kept.map(({ key }) => key)).size !== 10)
        throw new Error(`these are not all: ${kept.map(({ key }) => key)}`);
      const startPath = new URL(`${site.issuer}/auth`).pathname;
      return kept.find((cookie) => isOpen(cookie, startPath))?.key;
    },
  };
}

/**
 * Returns true if the path is wider than the cookie needs: `_qr_browser` is for one interaction, `_qr_memory` for all
 * interactions and for actions, `_qr_attempts` for the URL that starts interactions, and the cookies in `ON_PHONE` for
 * the phone's pages.
 */
function isWide({ key, path }: Cookie, startPath: string): boolean {
  if (key.startsWith('_qr_attempts')) return path !== startPath;
  if (key.startsWith(BINDING)) return !/\/interaction\/[\w-]{20,}$/.test(path ?? '/');
  // The pages of actions also check if the account trusts the browser.
  if (key.startsWith('_qr_memory')) return !/\/(?:interaction|qr\/actions)$/.test(path ?? '/');
  return !`${path}`.endsWith(ON_PHONE.some((name) => key.startsWith(name)) ? '/qr' : '/interaction');
}

async function ours({ jar }: Agent): Promise<Cookie[]> {
  const { cookies = [] } = (await jar.serialize()) ?? {};
  return (cookies as unknown as Cookie[]).filter(({ key }) => key.startsWith('_qr_'));
}

function rewritingCookies(change: (cookie: string) => string): WorldOptions {
  return inFront(async (ctx: Context, next: Next) => {
    await next();
    const set = ctx.res.getHeader('set-cookie');
    if (Array.isArray(set))
      ctx.res.setHeader(
        'set-cookie',
        set.map((cookie) => (cookie.startsWith('_qr_') ? change(cookie) : cookie)),
      );
  });
}

interface StolenValues {
  readonly uid: string;
  /** A binding of the attacker's own, with its signature. */
  readonly own: { readonly value: string; readonly signature: string };
  /** A value that the provider signed for another purpose: the victim's interaction cookie. */
  readonly foreign: { readonly value: string; readonly signature: string };
}

type Forge = (loot: StolenValues) => string;

/** Unsigned values, values with the signature of another value, and the same name twice, in both orders. */
const BINDINGS: Forge[] = [
  ({ uid }) => `${BINDING}=${uid}.made-up.x`,
  ({ uid }) => `${BINDING}=${uid}.made-up.x; ${BINDING}.sig=`,
  ({ uid, own }) => `${BINDING}=${uid}.made-up.x; ${BINDING}.sig=${own.signature}`,
  ({ uid, foreign }) => `${BINDING}=${uid}.made-up.x; ${BINDING}.sig=${foreign.signature}`,
  ({ foreign }) => `${BINDING}=${foreign.value}.x; ${BINDING}.sig=${foreign.signature}`,
  ({ uid, own }) => `${BINDING}=${own.value}; ${BINDING}=${uid}.made-up.x; ${BINDING}.sig=${own.signature}`,
  ({ uid, own }) => `${BINDING}=${uid}.made-up.x; ${BINDING}=${own.value}; ${BINDING}.sig=${own.signature}`,
  ({ uid, own }) => `${BINDING}="${uid}.made-up.x"; ${BINDING}.sig=x; ${BINDING}.sig=${own.signature}`,
  ({ own }) => `${BINDING}=${own.value}; ${BINDING}.sig=${own.signature}`,
];

/** Attacks before the victim's browser has shown the page. At this time, no ticket contains the browser's binding. */
async function openWith(site: Site, forge: Forge): Promise<string | undefined> {
  const victim = new BrowserVisitor(site);
  const uid = await interactionOf(victim);
  const stolen = (await victim.agent.jar.getCookies(victim.at)).filter(({ key }) => key.startsWith('_interaction'));
  const attacker = new BrowserVisitor(site);
  await interactionOf(attacker);
  const loot = { uid, own: await signedCookie(attacker, BINDING), foreign: await signedCookie(victim, '_interaction') };
  const cookie = [...stolen.map(({ key, value }) => `${key}=${value}`), forge(loot)].join('; ');
  const opened = await new BrowserVisitor(site).agent.get(victim.at, { headers: { cookie, accept: 'text/html' } });
  // The victim's browser can still open its page, unless the attacker has claimed the interaction.
  must(await victim.agent.get(victim.at, { headers: { accept: 'text/html' } }), opened.status === 200 ? 404 : 200);
  return opened.status === 200 ? cookie : undefined;
}

/** Starts a sign-in and stops at the redirect to the interaction. @returns its uid */
async function interactionOf(browser: BrowserVisitor): Promise<string> {
  const { site } = browser;
  const query = new URLSearchParams({
    client_id: site.client.id,
    redirect_uri: site.client.callback,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const { location } = must(await browser.agent.get(`${site.issuer}/auth?${query}`), 303);
  browser.at = new URL(location, site.issuer).href;
  return browser.at.split('/').at(-1) ?? '';
}

async function signedCookie(
  { agent, at }: BrowserVisitor,
  name: string,
): Promise<{ value: string; signature: string }> {
  const cookies = await agent.jar.getCookies(at);
  const cookieValue = (key: string): string => cookies.find((cookie) => cookie.key === key)?.value ?? '';
  if (cookieValue(name) === '' || cookieValue(`${name}.sig`) === '') throw new Error(`there is no signed ${name}`);
  return { value: cookieValue(name), signature: cookieValue(`${name}.sig`) };
}

/** Returns the signature of the phone's note about another code, which the phone has opened. */
async function ownNote(site: Site, phone: PhoneVisitor): Promise<string> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  const code = await browser.code();
  must(await phone.look(code), 200);
  const cookies = await phone.agent.jar.getCookies(code);
  return `${SEEN}.sig=${cookies.find(({ key }) => key === `${SEEN}.sig`)?.value}`;
}
