/**
 * Row 40 of the table in docs/security.md: a browser adds a passkey only with an approval for this browser and this
 * challenge, and an approval counts once.
 */
import { BrowserPasskeyHandlers } from '../../../src/http/browser/browser-passkey.ts';
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import type { RedeemedTicket } from '../../../src/ticket/ticket.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { Authenticator } from '../guard/authenticator.ts';
import { browserAt, phoneOf, scanAndApprove, scanCode } from '../meeting.ts';
import { goOn } from '../scene.ts';
import { browserFinds } from '../weaknesses.ts';

const offering: WorldOptions = { passkeys: true, browserPasskeys: true };
const ALICE = 'a11ce';
const HTML = { headers: { accept: 'text/html', 'accept-language': 'en' } };
/** The time for which the attacker waits after the sign-in, so that the victim has left. */
const LATER_MS = 7 * 60_000;

const withoutApproval: Weakness = {
  defence: "the phone's approval",
  patch: browserFinds((ticket) =>
    ticket.request.action === undefined
      ? ticket
      : ({ ...ticket, state: 'redeemed', approver: { accountId: ALICE } } as unknown as RedeemedTicket),
  ),
};
const usedAgain: Weakness = {
  defence: 'an approval that counts once',
  patch: replacing(KeyvNotes.prototype, 'claim', () => async () => true),
};

const wordless: Weakness = {
  defence: 'words that name the browser and warn',
  patch: replacing(BrowserPasskeyHandlers.prototype, 'describe', () => async () => []),
};

/** Returns a browser that the victim's phone has signed in, on the page that offers a passkey. */
async function offered(site: Site): Promise<{ readonly browser: BrowserVisitor; readonly phone: PhoneVisitor }> {
  const [browser, phone] = [await browserAt(site), await phoneOf(site)];
  const finished = await browser.finish(await scanAndApprove(phone, browser, { remember: 'yes' }));
  let page = await goOn(browser, finished.json().redirectTo);
  if (page.text.includes('/consent"')) {
    const granted = await browser.post(`${page.url}/consent`, {});
    page = await goOn(browser, granted.json().redirectTo);
  }
  if (!page.text.includes('data-skip')) throw new Error(`no passkey is offered: ${page.status} ${page.url}`);
  browser.at = page.url.href;
  return { browser, phone };
}

function send(browser: BrowserVisitor, fields: Record<string, string>): Promise<Answer> {
  return browser.post(`${browser.at}/qr/new-passkey`, fields);
}

/** Asks the phone for a passkey. @returns the browser at the page of the action */
async function askForPasskey(browser: BrowserVisitor): Promise<BrowserVisitor> {
  const { redirectTo } = (await send(browser, {})).json();
  const action = new BrowserVisitor(browser.site);
  return Object.assign(action, { agent: browser.agent, at: new URL(`${redirectTo}`, browser.site.issuer).href });
}

/** Returns the challenge on the page; undefined before the phone has approved. */
async function challengeOf(browser: BrowserVisitor): Promise<string | undefined> {
  const { text } = await browser.agent.get(browser.at, HTML);
  return /&quot;challenge&quot;:&quot;([\w-]+)/.exec(text)?.[1];
}

export const attacks: readonly Attack[] = [
  {
    row: 40,
    name: 'adds a passkey in a browser although the victim has approved only its sign-in',
    on: offering,
    without: withoutApproval,
    run: async (site) => {
      const { browser } = await offered(site);
      await send(browser, {});
      const challenge = (await challengeOf(browser)) ?? 'a guess';
      const answer = await send(browser, { credential: new Authenticator(site.issuer).create(challenge, ALICE) });
      return answer.status === 200 ? 'a lasting way in' : undefined;
    },
  },
  {
    row: 40,
    name: 'adds a passkey with an approval that was used already',
    on: offering,
    without: usedAgain,
    run: async (site) => {
      const { browser, phone } = await offered(site);
      const action = await askForPasskey(browser);
      await action.finish(await scanAndApprove(phone, action));
      const challenge = (await challengeOf(browser)) ?? '';
      const used = await send(browser, { credential: new Authenticator(site.issuer).create('another', ALICE) });
      if (challenge === '' || used.status !== 403) throw new Error(`the approval was not used: ${used.status}`);
      const answer = await send(browser, { credential: new Authenticator(site.issuer).create(challenge, ALICE) });
      return answer.status === 200 ? 'a second passkey for one approval' : undefined;
    },
  },
  {
    row: 40,
    name: 'asks for a passkey in a relayed browser, of a victim who takes that for a part of the sign-in',
    on: offering,
    alone: true,
    without: wordless,
    run: async (site) => {
      const { browser, phone } = await offered(site);
      let page = '';
      const look = async (): Promise<void> => {
        await scanCode(phone, await askForPasskey(browser));
        page = (await phone.agent.get(phone.at, HTML)).text;
      };
      if (site.later === undefined) throw new Error('time cannot pass at this site');
      await site.later(LATER_MS, look);
      const words = [
        'Add a passkey in another browser',
        'Browser: Chrome on Windows',
        'Warning: signed in there 7 minutes ago',
        'that browser can sign in to your account without your phone',
      ];
      return words.every((word) => page.includes(word)) ? undefined : 'a request that does not say what it is';
    },
  },
];
