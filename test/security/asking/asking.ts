/**
 * Row 42 of the table in docs/security.md: attacks on the phones of an account by browsers that it trusts, or by copies
 * of their cookies: to wear the user out, to be approved blindly, or to reach another account's requests.
 */
import { KeyvBrowserList } from '../../../src/stores/memory/browser-list.ts';
import { KeyvPendingRequests } from '../../../src/stores/memory/pending-requests.ts';
import type { KnownBrowser } from '../../../src/ticket/browsers/known-browser.ts';
import { Pace } from '../../../src/ticket/requests/pace.ts';
import { RequestQueue } from '../../../src/ticket/requests/request-queue.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { copyOf } from '../enrolled/asking.ts';
import { followToRp, phoneOf, scanAndApprove } from '../meeting.ts';
import { all, asWaiting, browserFinds, phoneFinds } from '../weaknesses.ts';

const asking: WorldOptions = { qrLogin: { askPhone: {} } };

const oneAtATime: Weakness = {
  defence: 'one request at a time',
  patch: all(
    replacing(KeyvPendingRequests.prototype, 'list', () => async () => []),
    replacing(KeyvPendingRequests.prototype, 'add', () => async () => true),
    replacing(Pace.prototype, 'isTooSoon', () => async () => false),
  ),
};

const noPace: Weakness = {
  defence: 'back-off',
  patch: replacing(Pace.prototype, 'isTooSoon', () => async () => false),
};

/** A server that does not look at the keys of browsers. */
const keyless: Weakness = {
  defence: "the signature of the browser's key",
  patch: replacing(
    KeyvBrowserList.prototype,
    'list',
    (original) =>
      async function (this: KeyvBrowserList<KnownBrowser>, accountId) {
        const list = await original.call(this, accountId);
        return list.map(({ key: _key, ...browser }: Partial<KnownBrowser>) => browser as KnownBrowser);
      },
  ),
};

const noNumber: Weakness = {
  defence: 'the number that the browser shows',
  patch: phoneFinds((ticket) => {
    if (ticket.state !== 'scanned') return ticket;
    const { match: _match, ...rest } = ticket;
    return rest;
  }),
};

/** A server on which a wrong number, or a decision, does not end a ticket. */
const endless: Weakness = {
  defence: 'the end of a ticket',
  patch: all(
    phoneFinds((ticket) => (ticket.state === 'cancelled' || ticket.state === 'denied' ? asWaiting(ticket) : ticket)),
    browserFinds((ticket) => (ticket.state === 'cancelled' || ticket.state === 'denied' ? asWaiting(ticket) : ticket)),
  ),
};

/** A server that treats each request as one for the account that looks at it. */
const anyAccount: Weakness = {
  defence: 'a request that names its account',
  patch: all(
    replacing(
      RequestQueue.prototype,
      'list',
      (original) =>
        function (this: RequestQueue) {
          return original.call(this, 'a11ce');
        },
    ),
    phoneFinds(({ request, ...ticket }): Ticket => {
      const { accountId: _named, ...requirements } = request.requirements;
      return { ...ticket, request: { ...request, requirements } } as Ticket;
    }),
  ),
};

interface TrustedBrowser {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
}

/** Signs a browser in by a scan, so that alice trusts it. @param key the key that the browser makes */
async function trust(site: Site, key?: TestBrowserKey): Promise<TrustedBrowser> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  const phone = await phoneOf(site);
  const digits = await scanAndApprove(phone, browser, { remember: 'yes' });
  const finished = await browser.finish(digits || undefined, key && { key: await key.publicKey() });
  if ((await followToRp(browser, finished)) === undefined) throw new Error('the browser is not signed in');
  for (const { key: name } of await browser.agent.jar.getCookies(site.issuer)) {
    if (name.startsWith('_session')) await browser.agent.jar.setCookie(`${name}=; Max-Age=0; Path=/`, site.issuer);
  }
  return { browser, phone };
}

/** Starts a sign-in and asks. @returns true if the phones are asked */
async function ask(browser: BrowserVisitor, key?: TestBrowserKey): Promise<boolean> {
  await browser.start();
  const { text } = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
  const [, nonce = ''] = /data-ask-phone="([\w-]+)"/.exec(text) ?? [];
  const signature = (await key?.signText(`oidc-provider-qr-login ask ${nonce}`)) ?? '';
  return (await browser.post(`${browser.at}/qr/ask`, { signature })).status === 200;
}

interface Listed {
  readonly url: string;
  readonly csrf: string;
}

async function list(phone: PhoneVisitor): Promise<readonly Listed[]> {
  return (await phone.look(`${phone.site.issuer}/qr/devices`)).json().requests as readonly Listed[];
}

/** Returns the address of the only request on the list of a phone, as a notification has it. */
async function addressOf(phone: PhoneVisitor): Promise<string> {
  const [first] = await list(phone);
  if (first === undefined) throw new Error('no request waits');
  return new URL(first.url, phone.site.issuer).href;
}

/** Opens a request by its address. @returns true if its page is shown then */
async function open(phone: PhoneVisitor, url: string): Promise<boolean> {
  const page = await phone.look(url);
  if (page.status !== 200) return false;
  const opened = await phone.post(url, { csrf: `${page.json().csrf}` });
  if (opened.status !== 200) return false;
  phone.at = new URL(`${opened.json().redirectTo}`, url).href;
  return (await phone.look()).status === 200;
}

export const attacks: readonly Attack[] = [
  {
    row: 42,
    name: 'rings the phones again and again from a known browser',
    on: asking,
    alone: true,
    without: oneAtATime,
    run: async (site) => {
      const { browser } = await trust(site);
      let rung = 0;
      for (let times = 0; times < 5; times++) rung += (await ask(browser)) ? 1 : 0;
      return rung > 1 ? `${rung} requests at the same time` : undefined;
    },
  },
  {
    row: 42,
    name: 'asks again from a known browser each time that the user declines',
    on: asking,
    alone: true,
    without: noPace,
    run: async (site) => {
      const { browser, phone } = await trust(site);
      for (let times = 0; times < 4; times++) {
        if (!(await ask(browser))) return undefined;
        await open(phone, await addressOf(phone));
        await phone.decide('deny');
      }
      return 'a fourth request within a minute';
    },
  },
  {
    row: 42,
    name: 'rings the phones with copies of the cookies of a known browser',
    on: asking,
    alone: true,
    without: keyless,
    run: async (site) => {
      const { browser, phone } = await trust(site, await TestBrowserKey.make());
      const thief = await copyOf(browser);
      for (const key of [undefined, await TestBrowserKey.make()])
        if ((await ask(thief, key)) && (await list(phone)).length > 0) return 'a request on the phone of alice';
      return undefined;
    },
  },
  {
    row: 42,
    name: 'is approved by a user who taps without looking at the browser',
    on: asking,
    alone: true,
    without: noNumber,
    run: async (site) => {
      const { browser, phone } = await trust(site);
      if (!(await ask(browser))) throw new Error('the browser cannot ask');
      await open(phone, await addressOf(phone));
      return (await phone.decide('approve')).status === 200 ? `${(await browser.ticket()).state}` : undefined;
    },
  },
  {
    row: 42,
    name: 'is approved by a user who guesses the number again and again',
    on: asking,
    alone: true,
    without: endless,
    run: async (site) => {
      const { browser, phone } = await trust(site);
      if (!(await ask(browser))) throw new Error('the browser cannot ask');
      const url = await addressOf(phone);
      await open(phone, url);
      const { number } = await browser.ticket();
      const wrong = number === '42' ? '43' : '42';
      await phone.decide('approve', { match: wrong });
      await open(phone, url);
      return (await phone.decide('approve', { match: `${number}` })).status === 200 ? 'a second guess' : undefined;
    },
  },
  {
    row: 42,
    name: 'opens a request once more by its notification, after the user has declined it',
    on: asking,
    alone: true,
    without: endless,
    run: async (site) => {
      const { browser, phone } = await trust(site);
      if (!(await ask(browser))) throw new Error('the browser cannot ask');
      const url = await addressOf(phone);
      await open(phone, url);
      await phone.decide('deny');
      const other = await phoneOf(site);
      return (await open(other, url)) ? (await other.look()).text : undefined;
    },
  },
  {
    row: 42,
    name: "reads and opens another account's request",
    on: asking,
    alone: true,
    without: anyAccount,
    run: async (site) => {
      const { browser, phone } = await trust(site);
      if (!(await ask(browser))) throw new Error('the browser cannot ask');
      const url = await addressOf(phone);
      const bob = await phoneOf(site, 'bob');
      if ((await list(bob)).length > 0) return JSON.stringify(await list(bob));
      return (await open(bob, url)) ? (await bob.look()).text : undefined;
    },
  },
];
