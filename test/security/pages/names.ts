/**
 * Rows 34 and 35 of the table in docs/security.md: an app's name hides, reorders and covers nothing, and a page names
 * the host that the answer goes to.
 */
import type { Context, Next } from 'koa';
import type { Site } from '../../support/visitors.ts';
import { RP_CALLBACK, testClient, type WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { HTML, must, nameOn, openConfirmPage, signInPhone, siteOfRp, startSignIn } from './visits.ts';

/** Marks that cover the lines around a letter. */
const MARKS = '\u0336\u0489\u033f\u0333'.repeat(30);
/** A word in Unicode tag characters, which are invisible to a reader but not to a program. */
const HIDDEN = '\u{e0045}\u{e0076}\u{e0069}\u{e006c}';
const OTHER_HOST = 'bank.example';

interface NameAttack {
  readonly name: string;
  readonly clientName: string;
  /** Returns true if the shown name is useful to the attacker. */
  readonly helps: (shown: string) => boolean;
  readonly defence: string;
}

const NAMES: readonly NameAttack[] = [
  ...['\u3164', '\u2800\u2800', '\u200b\u2060', '\u00a0\u3000', '\u0338'].map((blank) => ({
    name: `has no visible name on the phone (${codePoints(blank)})`,
    clientName: blank,
    helps: (shown: string) => !/[\p{L}\p{N}]/u.test(shown.replace(/\p{Default_Ignorable_Code_Point}/gu, '')),
    defence: 'a name instead of an invisible one',
  })),
  {
    name: 'covers the lines around its name with marks',
    clientName: `Bank${MARKS}`,
    helps: (shown) => /[\p{Mn}\p{Me}]{5}/u.test(shown),
    defence: 'a limit of marks',
  },
  {
    name: 'covers the text in front of its name with marks',
    clientName: `\u20e0\u0338Bank`,
    helps: (shown) => /^\p{M}/u.test(shown),
    defence: 'the removal of marks without a letter',
  },
  {
    name: 'reorders the text around its name',
    clientName: 'knaB\u2067\u2068\u202e',
    helps: (shown) => /\p{Bidi_Control}/u.test(shown),
    defence: 'the removal of directional controls',
  },
  {
    name: 'hides text in its name',
    clientName: `Bank${HIDDEN}\u200b\u{e0101}`,
    helps: (shown) => /[\p{Default_Ignorable_Code_Point}\u200b]/u.test(shown),
    defence: 'the removal of invisible characters',
  },
  {
    name: 'pushes its name out of sight with lines and spaces',
    clientName: `Bank\n\n\u2028\u3000${'\u00a0'.repeat(60)}of Evil`,
    helps: (shown) => /[\n\u2028\u2029]|\p{White_Space}{2}/u.test(shown),
    defence: 'one space for many',
  },
  {
    name: 'has a name that is cut in the middle of a character',
    clientName: `${'a'.repeat(78)}\u{1f469}\u200d\u{1f469}\u200d\u{1f467} and more`,
    helps: (shown) => /\ufffd|\u200d(?!\p{L}|\p{Extended_Pictographic})/u.test(shown),
    defence: 'a cut between characters',
  },
];

export const nameAttacks: Attack[] = [
  ...NAMES.map(
    ({ name, clientName, helps, defence }, index): Attack => ({
      row: 35,
      name,
      on: { clients: [testClient(`named-${index}`, { client_name: clientName })] },
      without: {
        defence,
        options: rewriting((page) =>
          page.replace(
            /(<h1>Sign in to ).*?(?=\?<\/h1>)/s,
            `$1${defence.startsWith('a cut') ? 'a\ud83d' : clientName}`,
          ),
        ),
      },
      run: async (site) => {
        const { browser } = await startSignIn(siteOfRp(site, `named-${index}`));
        const shown = nameOn((await openConfirmPage(await signInPhone(site), browser)).text);
        return helps(shown) ? JSON.stringify(shown) : undefined;
      },
    }),
  ),
  {
    row: 34,
    name: 'shows a host of its app to which the answer does not go',
    on: { clients: [testClient('hosted', { redirect_uris: [`https://${OTHER_HOST}/done`, RP_CALLBACK] })] },
    without: {
      defence: 'the host that was used',
      options: rewriting((page) => page.replaceAll(new URL(RP_CALLBACK).host, OTHER_HOST)),
    },
    run: async (site) => {
      const hosted: Site = siteOfRp(site, 'hosted');
      const { browser, page } = await startSignIn(hosted);
      const phone = await signInPhone(site);
      const confirm = await openConfirmPage(phone, browser);
      must(await phone.decide('approve'), 200);
      const { redirectTo } = must(await browser.finish(), 200).json();
      const consent = must(await browser.agent.follow(`${redirectTo}`), 200);
      const granted = await browser.agent.post(`${browser.at}/consent`, { form: {}, ...HTML });
      await browser.agent.follow(new URL(granted.location || consent.url, site.issuer), (url) =>
        url.href.startsWith(RP_CALLBACK),
      );
      const devices = must(await phone.agent.get(`${site.issuer}/qr/devices`, HTML), 200);
      if (!devices.text.includes('data-browser')) throw new Error('the browser is not on the list');
      const lying = [page, confirm, consent, devices].filter(({ text }) => text.includes(OTHER_HOST));
      return lying.length === 0 ? undefined : lying.map(({ url }) => url.pathname).join(', ');
    },
  },
  {
    row: 34,
    name: 'makes a page say, by a link alone, that browsers were signed out',
    without: {
      defence: 'the result in a cookie',
      options: rewriting((page, ctx) =>
        ctx.query.ended === undefined ? page : `${page}All of these browsers are signed out.`,
      ),
    },
    run: async (site) => {
      const { agent } = await signInPhone(site);
      const { text } = must(await agent.get(`${site.issuer}/qr/devices?ended=5&unreached=yes`, HTML), 200);
      return text.includes('All of these browsers are signed out.') ? 'a result that never was' : undefined;
    },
  },
];

function codePoints(text: string): string {
  return [...text].map((point) => `U+${point.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`).join(' ');
}

/** A server that changes its pages with this function. */
function rewriting(change: (page: string, ctx: Context) => string): WorldOptions {
  return inFront(async (ctx: Context, next: Next) => {
    await next();
    if (ctx.response.is('html') && typeof ctx.body === 'string') ctx.body = change(ctx.body, ctx);
  });
}
