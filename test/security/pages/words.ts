/**
 * Row 11 of the table in docs/security.md: no text of other parties replaces the provider's words, and no app or
 * browser is shown as another one.
 */
import { domainToUnicode } from 'node:url';
import type { Context, Next } from 'koa';
import type { Site } from '../../support/visitors.ts';
import { testClient, type WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { nameOn, openConfirmPage, signInPhone, siteOfRp, startSignIn, textBeside } from './visits.ts';

/** U+202E: from here on, text runs from right to left, up to the end of its block or its isolate. */
const OVERRIDE = '\u202e';
/** A number of characters that a reader can take in at a glance. No name needs more. */
const LONGEST_NAME = 100;
const SENTENCE = 'Your own laptop, checked by Example ID. Press Yes';

const NATIVE_CALLBACK = 'accounts.bank.example:/done';
const USERINFO_CALLBACK = 'https://bank.example@evil.example/done';
/** A host name with a Cyrillic a. */
const HOMOGRAPH = 'b\u0430nk.example';

export const wordAttacks: Attack[] = [
  {
    row: 11,
    name: "reverses the provider's words by a character in the attacking app's name",
    on: { clients: [testClient('turned', { client_name: `Bank${OVERRIDE}!` })] },
    without: { defence: 'isolation', options: rewriting((page) => page.replaceAll('Bank', `Bank${OVERRIDE}`)) },
    run: async (site) => {
      const { browser, page } = await startSignIn(siteOfRp(site, 'turned'));
      const confirm = await openConfirmPage(await signInPhone(site), browser);
      const turned = [page, confirm].filter(({ text }) => text.replace(/<bdi>.*?<\/bdi>/gs, '').includes(OVERRIDE));
      return turned.length === 0 ? undefined : turned.map(({ url }) => url.pathname).join(', ');
    },
  },
  {
    row: 11,
    name: "pushes the facts off the phone's screen with the attacking app's name",
    on: { clients: [testClient('endless', { client_name: 'Bank '.repeat(500) })] },
    without: {
      defence: 'a maximum length of names',
      options: rewriting((page) => page.replaceAll('Bank', 'Bank '.repeat(500))),
    },
    run: async (site) => {
      const { browser } = await startSignIn(siteOfRp(site, 'endless'));
      const name = nameOn((await openConfirmPage(await signInPhone(site), browser)).text);
      return name.length > LONGEST_NAME ? `${name.length} characters` : undefined;
    },
  },
  {
    row: 11,
    name: "makes the phone show a sentence as the name of the attacker's browser",
    without: { defence: 'a list of known browsers', options: anyBrowser() },
    run: async (site) => {
      const { browser } = await startSignIn(site, {}, { 'user-agent': `${SENTENCE}/1.0 <b>x</b>` });
      const screen = textBeside('Device', (await openConfirmPage(await signInPhone(site), browser)).text);
      return screen.includes(SENTENCE) ? screen : undefined;
    },
  },
  {
    row: 11,
    name: 'presents the scheme of a native app as a host',
    on: withCallback('native', NATIVE_CALLBACK),
    without: {
      defence: 'a distinction between schemes and hosts',
      options: rewriting((page) =>
        page.replace(/<dt>App(<\/dt><dd>).*?(?=<\/dd>)/s, '<dt>Website$1accounts.bank.example:'),
      ),
    },
    run: async (site) => {
      const shown = await hostOf(siteOfRp(site, 'native', NATIVE_CALLBACK));
      return /^accounts\.bank\.example:?$/.test(shown) ? shown : undefined;
    },
  },
  {
    row: 11,
    name: 'presents the user name in a redirect URI as its host',
    on: withCallback('userinfo', USERINFO_CALLBACK),
    without: {
      defence: 'parsing the redirect URI',
      options: rewriting((page) => page.replaceAll('evil.example', new URL(USERINFO_CALLBACK).username)),
    },
    run: async (site) => {
      const shown = await hostOf(siteOfRp(site, 'userinfo', USERINFO_CALLBACK));
      return shown === 'evil.example' ? undefined : shown;
    },
  },
  {
    row: 11,
    name: "presents the attacking app's host as another host that looks similar",
    on: withCallback('homograph', `https://${HOMOGRAPH}/done`),
    without: {
      defence: 'Punycode',
      options: rewriting((page) => page.replace(/xn--[\w.-]+/g, (host) => domainToUnicode(host))),
    },
    run: async (site) => {
      const shown = await hostOf(siteOfRp(site, 'homograph', `https://${HOMOGRAPH}/done`));
      return /^[\x20-\x7e]+$/.test(shown) ? undefined : shown;
    },
  },
];

function withCallback(clientId: string, callback: string): WorldOptions {
  const kind = callback.startsWith('https:') ? 'web' : 'native';
  const more = { client_name: 'Bank', redirect_uris: [callback], application_type: kind } as const;
  return { clients: [testClient(clientId, more)] };
}

async function hostOf(site: Site): Promise<string> {
  const { browser } = await startSignIn(site);
  return textBeside('(?:Website|App)', (await openConfirmPage(await signInPhone(site), browser)).text);
}

/** A server that changes its pages with this function. */
function rewriting(change: (page: string) => string): WorldOptions {
  return inFront(async (ctx: Context, next: Next) => {
    await next();
    if (ctx.response.is('html') && typeof ctx.body === 'string') ctx.body = change(ctx.body);
  });
}

/** A server that shows any name that the browser has sent. */
function anyBrowser(): WorldOptions {
  let name = '';
  return inFront(async (ctx: Context, next: Next) => {
    if (ctx.path.startsWith('/interaction/')) name = ctx.get('user-agent').split('/')[0] ?? '';
    await next();
    if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(/(<dt>Device<\/dt><dd>)[^<]*/, `$1${name} `);
  });
}
