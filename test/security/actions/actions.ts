/**
 * Row 40 of the table in docs/security.md: only the account that was asked can approve an action, only for the client
 * and in the browser that asked.
 */
import * as client from 'openid-client';
import { Cookies } from '../../../src/http/request/cookies.ts';
import { ActionTokens } from '../../../src/oidc/actions/action-token.ts';
import { ActionActs } from '../../../src/ticket/actions.ts';
import { SHOP, shopClient } from '../../fixtures/test-client.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import { CLIENT_SECRET, RP_CALLBACK, type WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { openQrPage, signInPhone } from '../scene.ts';
import { browserFinds } from '../weaknesses.ts';

const OTHER_SHOP = 'other-shop';
const BOUND_SHOP = 'bound-shop';
const TITLE = 'Pay €12.50 to the Lighthouse Shop';

const withShops: WorldOptions = {
  clients: [shopClient(), shopClient(OTHER_SHOP), shopClient(BOUND_SHOP, { dpop_bound_access_tokens: true })],
};

const bindingFromTheId: Weakness = {
  defence: 'the binding cookie of an action',
  patch: replacing(Cookies.prototype, 'binding', () => (_ctx, id) => id),
};
const anyAccount: Weakness = {
  defence: 'an action that names its account',
  patch: replacing(
    ActionActs.prototype,
    'request',
    (original) =>
      function (this: ActionActs, id, { request, ...more }) {
        return original.call(this, id, { request: { ...request, requirements: {} }, ...more });
      },
  ),
};
const anyScope: Weakness = {
  defence: 'the scope qr_action',
  patch: replacing(ActionTokens.prototype, 'assertScope', () => () => undefined),
};
const anyKey: Weakness = {
  defence: 'a token that is bound to its key',
  patch: replacing(ActionTokens.prototype, 'assertBound', () => () => undefined),
};
const anyClient: Weakness = {
  defence: 'a result for the client that asked',
  patch: browserFinds((ticket) =>
    ticket.request.action === undefined
      ? ticket
      : { ...ticket, request: { ...ticket.request, client: { ...ticket.request.client, id: OTHER_SHOP } } },
  ),
};

interface Token {
  readonly value: string;
  /** Sends requests with DPoP proofs of the key that the token is bound to. Undefined for a bearer token. */
  readonly handle?: client.DPoPHandle;
}

async function configurationOf(site: Site, name: string): Promise<client.Configuration> {
  const { id, secret } = site.others?.[name] ?? { id: name, secret: CLIENT_SECRET };
  const browser = new BrowserVisitor({ ...site, client: { id, secret, callback: RP_CALLBACK } });
  return browser.configuration();
}

async function tokenOf(site: Site, name: string, scope = 'qr_action', isBound = false): Promise<Token> {
  const configuration = await configurationOf(site, name);
  const handle = isBound ? client.getDPoPHandle(configuration, await client.randomDPoPKeyPair()) : undefined;
  const { access_token: value } = await client.clientCredentialsGrant(
    configuration,
    { scope },
    handle && { DPoP: handle },
  );
  return { value, ...(handle && { handle }) };
}

function ask(site: Site, { value }: Token, sub: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${value}`, accept: 'application/json' };
  return new BrowserVisitor(site).agent.post(`${site.issuer}/qr/actions`, { headers, json: { title: TITLE, sub } });
}

/** Returns alice's subject, which a client learns from her sign-in. */
async function subjectOfAlice(site: Site): Promise<string> {
  const browser = await openQrPage(site);
  const tokens = await browser.tokens(await browser.signInWithPassword('alice'));
  return `${tokens.claims()?.sub}`;
}

/** The shop asks alice for an approval. */
async function requestAction(site: Site): Promise<{ readonly id: string; readonly url: string }> {
  const answer = await ask(site, await tokenOf(site, SHOP), await subjectOfAlice(site));
  if (answer.status !== 201) throw new Error(`the shop cannot ask: ${answer.status} ${answer.text}`);
  const { id, url } = answer.json();
  return { id: `${id}`, url: `${url}` };
}

/** A browser that shows the action. */
async function openAction(site: Site, url: string): Promise<BrowserVisitor> {
  const browser = new BrowserVisitor(site);
  browser.at = url;
  await browser.agent.get(url, { headers: { accept: 'text/html' } });
  await browser.submit(url, {});
  return browser;
}

export const attacks: readonly Attack[] = [
  {
    row: 40,
    name: "watches and confirms another browser's action with the address of its page",
    on: withShops,
    without: bindingFromTheId,
    run: async (site) => {
      const { url } = await requestAction(site);
      const victim = await openAction(site, url);
      const phone = await signInPhone(site);
      const attacker = new BrowserVisitor(site);
      attacker.at = url;
      const seen = await attacker.agent.get(`${url}/qr`);
      await phone.scan(await victim.code());
      await phone.approve();
      const confirmed = await attacker.finish();
      return seen.status === 200 || confirmed.status === 200 ? 'a confirmed action' : undefined;
    },
  },
  {
    row: 40,
    name: 'sees and approves the action of another account',
    on: withShops,
    without: anyAccount,
    run: async (site) => {
      const { url } = await requestAction(site);
      const browser = await openAction(site, url);
      const bob = await signInPhone(site, 'bob');
      const { text, status } = await bob.scan(await browser.code());
      return status === 200 && text.includes('12.50') ? 'the texts, and the decision' : undefined;
    },
  },
  {
    row: 40,
    name: 'asks with a token that was granted for something else',
    on: withShops,
    without: anyScope,
    run: async (site) => {
      const answer = await ask(site, await tokenOf(site, SHOP, 'openid'), await subjectOfAlice(site));
      return answer.status === 201 ? 'an action in the name of the shop' : undefined;
    },
  },
  {
    row: 40,
    name: 'asks with a stolen token that is bound to a key, as Bearer',
    on: withShops,
    without: anyKey,
    run: async (site) => {
      const stolen = await tokenOf(site, BOUND_SHOP, 'qr_action', true);
      const answer = await ask(site, stolen, await subjectOfAlice(site));
      return answer.status === 201 ? 'an action in the name of the shop' : undefined;
    },
  },
  {
    row: 40,
    name: "reads the result of another client's action",
    on: withShops,
    without: anyClient,
    run: async (site) => {
      const { url } = await requestAction(site);
      const { value } = await tokenOf(site, OTHER_SHOP);
      const headers = { authorization: `Bearer ${value}` };
      const answer = await new BrowserVisitor(site).agent.get(`${url}/result`, { headers });
      return answer.status === 200 ? answer.text : undefined;
    },
  },
];
