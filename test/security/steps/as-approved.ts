/**
 * Row 26 of the table in docs/security.md: client, scopes, redirect and demands cannot change between the approval and
 * the browser's sign-in.
 */
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import type { BrowserVisitor } from '../../support/visitors.ts';
import { type Attack, inFront, replacing, type Weakness } from '../attack.ts';
import { accountAt, expectStatus, goOn, scanAndApprove, startWith, uidOf } from '../scene.ts';
import { all, oneBindingForAll } from '../weaknesses.ts';

/** The interaction of the most recently approved ticket. */
let approvedLast: string | undefined;

/** A store that returns the last approved ticket for any interaction. */
const anyTicket: Weakness = {
  defence: 'tickets that belong to an interaction',
  patch: all(
    () => {
      approvedLast = undefined;
      return () => undefined;
    },
    oneBindingForAll,
    replacing(
      KeyvTicketStore.prototype,
      'swap',
      (original) =>
        function (this: KeyvTicketStore, previous, next, ended) {
          if (next.state === 'approved') approvedLast = next.interaction;
          return original.call(this, previous, next, ended);
        },
    ),
    replacing(
      KeyvTicketStore.prototype,
      'findByInteraction',
      (original) =>
        function (this: KeyvTicketStore, uid) {
          return original.call(this, approvedLast ?? uid);
        },
    ),
  ),
};

/** A server with the same store. If cookie and URL name different interactions, it uses that of the cookie. */
const cookieBeforeUrl: Weakness = {
  defence: 'tickets that belong to an interaction, and a check of the URL',
  ...(anyTicket.patch && { patch: anyTicket.patch }),
  options: inFront(async (ctx, next) => {
    const [, uid] = /(?:^|; )_interaction=([\w-]+)/.exec(ctx.get('cookie')) ?? [];
    if (uid !== undefined) ctx.path = ctx.path.replace(/^\/interaction\/[\w-]+/, `/interaction/${uid}`);
    await next();
  }),
};

/** A provider that also takes parameters from the query of the resume URL. */
const parametersOnResume: Weakness = {
  defence: 'parameters that are fixed at the start',
  options: {
    extend: ({ provider }) => {
      provider.middleware.unshift(async (ctx, next) => {
        const [, uid = ''] = /^\/auth\/([\w-]+)$/.exec(ctx.path) ?? [];
        const interaction = uid === '' ? undefined : await provider.Interaction.find(uid);
        if (interaction !== undefined) {
          Object.assign(interaction.params, ctx.query);
          await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
        }
        await next();
      });
    },
  },
};

const WIDER = { scope: 'openid profile email' };
const STRICTER = { ...WIDER, prompt: 'login', max_age: '0' };

/** Finishes at this URL. @returns the session, if the sign-in works without another approval */
async function finishedAt(browser: BrowserVisitor, at: string, checkCode?: string): Promise<string | undefined> {
  browser.at = at;
  const answer = await browser.finish(checkCode);
  if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
  const account = await accountAt(browser.site, browser.agent);
  return account && `the session of ${account}`;
}

/** Puts the interaction cookie of one interaction on the path of another one. */
async function swapCookies(browser: BrowserVisitor, from: string, to: string): Promise<void> {
  const { pathname } = new URL(to);
  for (const { key, value } of await browser.agent.jar.getCookies(from)) {
    if (!key.startsWith('_interaction')) continue;
    await browser.agent.jar.setCookie(`${key}=${value}; path=${pathname}`, to);
  }
}

export const attacks: readonly Attack[] = [
  {
    row: 26,
    name: 'starts another authorization with more scopes and demands in the same browser, and finishes it unapproved',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      expectStatus(await startWith(browser, STRICTER), 200, 'the other QR page');
      return finishedAt(browser, browser.at, checkCode);
    },
    without: anyTicket,
  },
  {
    row: 26,
    name: 'finishes at the URL of the approved authorization with the interaction cookie of another one',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      const first = browser.at;
      expectStatus(await startWith(browser, WIDER), 200, 'the other QR page');
      await swapCookies(browser, browser.at, first);
      return finishedAt(browser, first, checkCode);
    },
    without: cookieBeforeUrl,
  },
  {
    row: 26,
    name: 'finishes at the URL of another authorization with the interaction cookie of the approved one',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      const first = browser.at;
      expectStatus(await startWith(browser, WIDER), 200, 'the other QR page');
      await swapCookies(browser, first, browser.at);
      return finishedAt(browser, browser.at, checkCode);
    },
    without: cookieBeforeUrl,
  },
  {
    row: 26,
    name: 'resumes another authorization after finishing the approved one',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      const approvedUid = uidOf(browser);
      const finished = expectStatus(await browser.finish(checkCode), 200, 'finishing').json();
      expectStatus(await startWith(browser, WIDER), 200, 'the other QR page');
      await goOn(browser, `${finished.redirectTo}`.replace(approvedUid, uidOf(browser)));
      const account = await accountAt(site, browser.agent);
      return account && `the session of ${account}`;
    },
    without: { defence: 'a separate result for each interaction', ...resultOfTheOther() },
  },
  {
    row: 26,
    name: 'asks for more scopes when it finishes and when it resumes',
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      const more = { scope: 'openid profile email', redirect_uri: 'http://attacker.localhost/', client_id: 'account' };
      const fields = { ...more, ...(checkCode !== undefined && { checkCode }) };
      const finished = expectStatus(await browser.post(`${browser.at}/qr/finish`, fields), 200, 'finishing').json();
      const back = new URL(`${finished.redirectTo}`, site.issuer);
      back.searchParams.set('scope', more.scope);
      const { scope = '' } = await browser.tokens(back);
      return scope.includes('email') ? `tokens for "${scope}"` : undefined;
    },
    without: parametersOnResume,
  },
];

/** A provider that uses the last result for every interaction. */
function resultOfTheOther(): Pick<Weakness, 'options'> {
  return {
    options: {
      extend: ({ provider }) => {
        let last: string | undefined;
        provider.middleware.unshift(async (ctx, next) => {
          const [, uid = ''] = /^\/auth\/([\w-]+)$/.exec(ctx.path) ?? [];
          const interaction = uid === '' ? undefined : await provider.Interaction.find(uid);
          const other = last === undefined ? undefined : await provider.Interaction.find(last);
          if (interaction !== undefined && other?.result !== undefined) {
            interaction.result = other.result;
            await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
          }
          await next();
          if (ctx.path.endsWith('/qr/finish')) last = ctx.path.split('/').at(-3);
        });
      },
    },
  };
}
