/**
 * Row 40 of the table in docs/security.md: only the account that was asked can approve an action, only for the client
 * and in the browser that asked.
 */
import { Cookies } from '../../../src/http/request/cookies.ts';
import { ActionTokens } from '../../../src/oidc/actions/action-token.ts';
import { ActionActs } from '../../../src/ticket/actions.ts';
import { SHOP } from '../../fixtures/test-client.ts';
import { BrowserVisitor } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { signInPhone } from '../scene.ts';
import { browserFinds } from '../weaknesses.ts';
import { ask, BOUND_SHOP, OTHER_SHOP, openAction, requestAction, subjectOfAlice, tokenOf, withShops } from './shop.ts';

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
