/** Row 11: nobody puts words into the provider's mouth, and nobody is shown as somebody else. */
import { domainToUnicode } from 'node:url';
import type { Context, Next } from 'koa';
import type { Site } from '../../support/visitors.ts';
import { testClient, type WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { at, confirmPage, saidOf, sent, signedIn } from './visits.ts';

/** U+202E: from here on, text runs from right to left, up to the end of its block or its isolate. */
const OVERRIDE = '\u202e';
/** What can be read at a glance, and more than any name needs. */
const LONGEST_NAME = 100;
const SENTENCE = 'Your own laptop, checked by Example ID. Press Yes';

const NATIVE_CALLBACK = 'accounts.bank.example:/done';
const USERINFO_CALLBACK = 'https://bank.example@evil.example/done';
/** With a Cyrillic a. */
const HOMOGRAPH = 'b\u0430nk.example';

export const wordAttacks: Attack[] = [
  {
    row: 11,
    name: "turns the provider's words around with a character in its app's name",
    on: { clients: [testClient('turned', { client_name: `Bank${OVERRIDE}!` })] },
    without: { name: 'isolation', options: rewriting((page) => page.replaceAll('Bank', `Bank${OVERRIDE}`)) },
    run: async (site) => {
      const { browser, page } = await sent(at(site, 'turned'));
      const confirm = await confirmPage(await signedIn(site), browser);
      const turned = [page, confirm].filter(({ text }) => text.replace(/<bdi>.*?<\/bdi>/gs, '').includes(OVERRIDE));
      return turned.length === 0 ? undefined : turned.map(({ url }) => url.pathname).join(', ');
    },
  },
  {
    row: 11,
    name: "pushes what the phone must read off the screen with its app's name",
    on: { clients: [testClient('endless', { client_name: 'Bank '.repeat(500) })] },
    without: { name: 'a longest name', options: rewriting((page) => page.replaceAll('Bank', 'Bank '.repeat(500))) },
    run: async (site) => {
      const { browser } = await sent(at(site, 'endless'));
      const name = saidOf('App', (await confirmPage(await signedIn(site), browser)).text);
      return name.length > LONGEST_NAME ? `${name.length} characters` : undefined;
    },
  },
  {
    row: 11,
    name: "has the phone read a sentence by its browser's name",
    without: { name: 'browsers that are known', options: anyBrowser() },
    run: async (site) => {
      const { browser } = await sent(site, {}, { 'user-agent': `${SENTENCE}/1.0 <b>x</b>` });
      const screen = saidOf('Screen', (await confirmPage(await signedIn(site), browser)).text);
      return screen.includes(SENTENCE) ? screen : undefined;
    },
  },
  {
    row: 11,
    name: 'has the scheme of an app on a phone taken for a host',
    on: withCallback('native', NATIVE_CALLBACK),
    without: {
      name: 'telling a scheme from a host',
      options: rewriting((page) => page.replace(/(<dt>Goes to<\/dt><dd>).*?(?=<\/dd>)/s, '$1accounts.bank.example:')),
    },
    run: async (site) => {
      const shown = await hostOf(at(site, 'native', NATIVE_CALLBACK));
      return /^accounts\.bank\.example:?$/.test(shown) ? shown : undefined;
    },
  },
  {
    row: 11,
    name: 'has the user in a redirect URI taken for its host',
    on: withCallback('userinfo', USERINFO_CALLBACK),
    without: {
      name: 'parsing the redirect URI',
      options: rewriting((page) => page.replaceAll('evil.example', new URL(USERINFO_CALLBACK).username)),
    },
    run: async (site) => {
      const shown = await hostOf(at(site, 'userinfo', USERINFO_CALLBACK));
      return shown === 'evil.example' ? undefined : shown;
    },
  },
  {
    row: 11,
    name: 'has its host taken for another one that looks alike',
    on: withCallback('homograph', `https://${HOMOGRAPH}/done`),
    without: {
      name: 'Punycode',
      options: rewriting((page) => page.replace(/xn--[\w.-]+/g, (host) => domainToUnicode(host))),
    },
    run: async (site) => {
      const shown = await hostOf(at(site, 'homograph', `https://${HOMOGRAPH}/done`));
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
  const { browser } = await sent(site);
  return saidOf('Goes to', (await confirmPage(await signedIn(site), browser)).text);
}

/** A server whose pages are as this makes them. */
function rewriting(change: (page: string) => string): WorldOptions {
  return inFront(async (ctx: Context, next: Next) => {
    await next();
    if (ctx.response.is('html') && typeof ctx.body === 'string') ctx.body = change(ctx.body);
  });
}

/** A server that shows whatever the browser has called itself. */
function anyBrowser(): WorldOptions {
  let name = '';
  return inFront(async (ctx: Context, next: Next) => {
    if (ctx.path.startsWith('/interaction/')) name = ctx.get('user-agent').split('/')[0] ?? '';
    await next();
    if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(/(<dt>Screen<\/dt><dd>)[^<]*/, `$1${name} `);
  });
}
