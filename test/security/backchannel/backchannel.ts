/**
 * Row 41 of the table in docs/security.md: attacks on requests without a browser, by another account or by a client
 * that asks again and again, and an attack on a sign-in through the address of such requests.
 */
import * as client from 'openid-client';
import { RateLimits } from '../../../src/http/request/rate-limits.ts';
import { KeyvPendingRequests } from '../../../src/stores/memory/pending-requests.ts';
import { Pace } from '../../../src/ticket/requests/pace.ts';
import { RequestActs } from '../../../src/ticket/requests/request-acts.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { DESK, deskClient } from '../../fixtures/test-client.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import { CLIENT_SECRET, RP_CALLBACK, type WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { openQrPage, signInPhone } from '../scene.ts';
import { all, phoneFinds } from '../weaknesses.ts';

const withDesk: WorldOptions = {
  clients: [deskClient()],
  qrLogin: { ciba: { findAccount: (hint) => ({ alice: 'a11ce', bob: 'b0b' })[hint] } },
};

/** A server that treats each request as one for the account that looks at it. */
const anyAccount: Weakness = {
  defence: 'a request that names its account',
  patch: all(
    replacing(
      RequestActs.prototype,
      'list',
      (original) =>
        function (this: RequestActs) {
          return original.call(this, 'a11ce');
        },
    ),
    phoneFinds(({ request, ...ticket }): Ticket => {
      const { accountId: _named, ...requirements } = request.requirements;
      return { ...ticket, request: { ...request, requirements } } as Ticket;
    }),
  ),
};

const anyGrant: Weakness = {
  defence: 'the grant of the client',
  options: {
    extend: ({ provider }) => {
      replacing(provider.Client.prototype, 'grantTypeAllowed', () => () => true)();
    },
  },
};

const anyNumber: Weakness = {
  defence: 'one request at a time, and back-off',
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

const anyTicket: Weakness = {
  defence: 'an address for requests alone',
  patch: phoneFinds((ticket) => ({
    ...ticket,
    request: { ...ticket.request, backchannel: { sealedId: '', expiresAt: ticket.endsAt } },
  })),
};

const uncounted: Weakness = {
  defence: 'limits by account',
  patch: replacing(RateLimits.prototype, 'forAccount', () => async () => undefined),
};

async function configurationOf(site: Site, name: string): Promise<client.Configuration> {
  const { id, secret } = site.others?.[name] ?? { id: name, secret: CLIENT_SECRET };
  return new BrowserVisitor({ ...site, client: { id, secret, callback: RP_CALLBACK } }).configuration();
}

/** Asks as a client, by default the desk. @returns what it polls with; the code of the error if it was refused */
async function ask(
  site: Site,
  parameters: Record<string, string> = {},
  name: string = DESK,
): Promise<client.BackchannelAuthenticationResponse | string> {
  const configuration = await configurationOf(site, name);
  try {
    return await client.initiateBackchannelAuthentication(configuration, {
      scope: 'openid',
      login_hint: 'alice',
      ...parameters,
    });
  } catch (error) {
    if (error instanceof client.ResponseBodyError) return error.error;
    throw error;
  }
}

async function asked(site: Site): Promise<client.BackchannelAuthenticationResponse> {
  const answer = await ask(site);
  if (typeof answer === 'string') throw new Error(`the desk cannot ask: ${answer}`);
  return answer;
}

interface Listed {
  readonly url: string;
  readonly csrf: string;
}

async function list(phone: PhoneVisitor): Promise<readonly Listed[]> {
  const answer = await phone.look(`${phone.site.issuer}/qr/devices`);
  return answer.json().requests as readonly Listed[];
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

/** Returns alice's phone, and the address of the only request on its list. */
async function addressOf(site: Site): Promise<{ readonly alice: PhoneVisitor; readonly url: string }> {
  const alice = await signInPhone(site);
  const [first] = await list(alice);
  if (first === undefined) throw new Error('no request waits for alice');
  return { alice, url: new URL(first.url, site.issuer).href };
}

export const attacks: readonly Attack[] = [
  {
    row: 41,
    name: 'opens and approves a request of another account by its address',
    on: withDesk,
    alone: true,
    without: anyAccount,
    run: async (site) => {
      await asked(site);
      const victim = await addressOf(site);
      const bob = await signInPhone(site, 'bob');
      const isOpen = await open(bob, victim.url);
      return isOpen ? `the page of the request: ${(await bob.look()).text}` : undefined;
    },
  },
  {
    row: 41,
    name: "reads another account's requests on its own list",
    on: withDesk,
    alone: true,
    without: anyAccount,
    run: async (site) => {
      await asked(site);
      const bob = await signInPhone(site, 'bob');
      const requests = await list(bob);
      return requests.length > 0 ? JSON.stringify(requests) : undefined;
    },
  },
  {
    row: 41,
    name: 'asks as a client that does not have the grant',
    on: withDesk,
    alone: true,
    without: anyGrant,
    run: async (site) => {
      const answer = await ask(site, { client_notification_token: 'any' }, site.client.id);
      return typeof answer === 'string' ? undefined : 'a request on the phone of alice';
    },
  },
  {
    row: 41,
    name: 'sends more requests while one waits on the phone, to replace it or to wear the user out',
    on: withDesk,
    alone: true,
    without: anyNumber,
    run: async (site) => {
      await asked(site);
      const more = await Promise.all(Array.from({ length: 10 }, () => ask(site)));
      const rung = more.filter((answer) => typeof answer !== 'string');
      return rung.length > 0 ? `${rung.length} more requests` : undefined;
    },
  },
  {
    row: 41,
    name: 'asks again each time that the user declines',
    on: withDesk,
    alone: true,
    without: noPace,
    run: async (site) => {
      for (let at = 0; at < 3; at++) {
        if (typeof (await ask(site)) === 'string') return undefined;
        const { alice, url } = await addressOf(site);
        await open(alice, url);
        await alice.decide('deny');
      }
      return 'a third request after two that were declined';
    },
  },
  {
    row: 41,
    name: 'guesses the user code of an account without end',
    on: { ...withDesk, qrLogin: { ...withDesk.qrLogin, limits: { account: { request: 3 } } } },
    without: uncounted,
    run: async (site) => {
      const answers: unknown[] = [];
      for (let at = 0; at < 5; at++) answers.push(await ask(site, { user_code: `${at}` }));
      return answers.includes('temporarily_unavailable') ? undefined : 'five tries in a minute';
    },
  },
  {
    row: 41,
    name: "claims a sign-in without a fresh QR code, by the ticket's id at the address for requests",
    on: withDesk,
    alone: true,
    without: anyTicket,
    run: async (site) => {
      const browser = await openQrPage(site);
      const [, code = ''] = /\/qr\/([\w-]+)$/.exec(new URL(await browser.code()).pathname) ?? [];
      const attacker = await signInPhone(site, 'bob');
      const isOpen = await open(attacker, `${site.issuer}/qr/requests/${code.slice(0, 24)}`);
      return isOpen ? 'the ticket of a sign-in' : undefined;
    },
  },
];
