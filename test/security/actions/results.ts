/**
 * Row 40 of the table in docs/security.md: an approval is for the text that the user has seen, for the service that
 * asked, and for one use.
 */
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import { readApproval } from '../../../src/approval/index.ts';
import { hashTexts, RESULT_TYPE } from '../../../src/oidc/actions/signed-result.ts';
import { ActionActs } from '../../../src/ticket/actions.ts';
import { newTicketId } from '../../../src/ticket/ticket-id.ts';
import { SIGNING_KEY } from '../../fixtures/secrets.ts';
import { SHOP } from '../../fixtures/test-client.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { scanCode } from '../meeting.ts';
import { signInPhone } from '../scene.ts';
import { browserFinds } from '../weaknesses.ts';
import { OTHER_SHOP, openAction, type RequestedAction, requestAction, TITLE, tokenOf, withShops } from './shop.ts';

const OTHER_TITLE = 'Pay €1,250 to the Lighthouse Shop';
const withResults: WorldOptions = { ...withShops, qrLogin: { actions: { jwks: { keys: [SIGNING_KEY] } } } };

/** The text that the attacker has sent last. */
let lastTitle: string | undefined;

const lastTextCounts: Weakness = {
  defence: 'a text that is fixed when the action is made',
  patch: browserFinds((ticket) => {
    const { action } = ticket.request;
    if (action === undefined || lastTitle === undefined) return ticket;
    return { ...ticket, request: { ...ticket.request, action: { ...action, title: lastTitle } } };
  }),
};
const anotherIdEachTime: Weakness = {
  defence: 'one id for all copies of a result',
  patch: replacing(
    ActionActs.prototype,
    'look',
    (original) =>
      async function (this: ActionActs, id) {
        const ticket = await original.call(this, id);
        return ticket?.state === 'redeemed' ? { ...ticket, id: newTicketId(id) } : ticket;
      },
  ),
};
const withSubject: Weakness = {
  defence: 'a result that names no "sub"',
  patch: replacing(
    SignJWT.prototype,
    'setProtectedHeader',
    (original) =>
      function (this: SignJWT, header) {
        return original.call(header.typ === RESULT_TYPE ? this.setSubject('a11ce') : this, header);
      },
  ),
};

/** The checks that a service leaves to `readApproval`. A careless service leaves one out. */
const checks = { audience: true, use: true };

function careless(check: keyof typeof checks, defence: string): Weakness {
  const patch = (): (() => void) => {
    checks[check] = false;
    return () => {
      checks[check] = true;
    };
  };
  return { defence, patch };
}

/** A service that delivers what alice has paid for. */
class Service {
  readonly #site: Site;
  readonly #clientId: string;
  readonly #used = new Set<string>();

  constructor(site: Site, clientId: string) {
    this.#site = site;
    this.#clientId = clientId;
  }

  /** @returns true if the service acts on the result */
  async accepts(jwt: string, sub: string): Promise<boolean> {
    const { issuer } = this.#site;
    const audience = checks.audience ? this.#clientId : `${decodeJwt(jwt).aud}`;
    const useOnce = (id: string): boolean => !checks.use || (!this.#used.has(id) && Boolean(this.#used.add(id)));
    return readApproval(jwt, { issuer, audience, keys: keysOf(this.#site), sub, title: TITLE, useOnce }).then(
      () => true,
      () => false,
    );
  }
}

function keysOf({ issuer }: Site): ReturnType<typeof createRemoteJWKSet> {
  return createRemoteJWKSet(new URL(`${issuer}/jwks`));
}

/** An action that alice's phone has scanned. */
interface ScannedAction extends RequestedAction {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
}

async function scanAction(site: Site): Promise<ScannedAction> {
  const action = await requestAction(site);
  const [browser, phone] = [await openAction(site, action.url), await signInPhone(site)];
  await scanCode(phone, browser);
  return { ...action, browser, phone };
}

/** Returns the signed result of an action that was approved and confirmed. */
async function resultOf(site: Site, { url }: RequestedAction): Promise<string> {
  const { value } = await tokenOf(site, SHOP);
  const headers = { authorization: `Bearer ${value}` };
  const answer = await new BrowserVisitor(site).agent.get(`${url}/result`, { headers });
  const { state, result } = answer.json();
  if (state !== 'approved') throw new Error(`there is no result: ${answer.text}`);
  return `${result}`;
}

/** Alice approves, and her browser confirms. */
async function approveAction(site: Site): Promise<{ readonly jwt: string; readonly sub: string }> {
  const action = await scanAction(site);
  await action.phone.approve();
  await action.browser.finish();
  return { jwt: await resultOf(site, action), sub: action.sub };
}

export const attacks: readonly Attack[] = [
  {
    row: 40,
    name: 'swaps the text of an action after the phone has shown it, as the client and as the browser',
    on: withResults,
    without: lastTextCounts,
    run: async (site) => {
      const { id, url, sub, browser, phone } = await scanAction(site);
      if (!(await phone.look()).text.includes(TITLE)) throw new Error('the phone shows no text');
      const headers = { authorization: `Bearer ${(await tokenOf(site, SHOP)).value}` };
      const json = { title: OTHER_TITLE, sub };
      lastTitle = OTHER_TITLE;
      try {
        await browser.agent.send(url, { method: 'PUT', headers, json });
        await browser.agent.post(`${site.issuer}/qr/actions`, { headers, json: { ...json, id } });
        await browser.agent.post(`${site.issuer}/qr/actions`, { headers, json });
        await phone.approve({ title: OTHER_TITLE });
        await browser.post(`${url}/qr/finish`, { title: OTHER_TITLE });
        const { details_hash: hash } = decodeJwt(await resultOf(site, { id, url, sub }));
        return hash === hashTexts({ title: TITLE, details: '' }) ? undefined : 'a signed approval of another text';
      } finally {
        lastTitle = undefined;
      }
    },
  },
  {
    row: 40,
    name: 'has an approval count twice: repeats Approve, the confirmation and the request for the result',
    on: withResults,
    without: anotherIdEachTime,
    run: async (site) => {
      const action = await scanAction(site);
      const { browser, phone, sub } = action;
      await Promise.all([phone.approve(), phone.approve()]);
      await Promise.all(Array.from({ length: 5 }, () => browser.finish()));
      const shop = new Service(site, SHOP);
      const first = await resultOf(site, action);
      if (!(await shop.accepts(first, sub))) throw new Error('the shop accepts no result');
      await phone.approve();
      await browser.finish();
      return (await shop.accepts(await resultOf(site, action), sub)) ? 'a second payment' : undefined;
    },
  },
  {
    row: 40,
    name: 'replays a result at the service that has accepted it',
    on: withResults,
    without: careless('use', 'a note of the results that were used'),
    run: async (site) => {
      const { jwt, sub } = await approveAction(site);
      const shop = new Service(site, SHOP);
      if (!(await shop.accepts(jwt, sub))) throw new Error('the shop accepts no result');
      return (await shop.accepts(jwt, sub)) ? 'a second payment' : undefined;
    },
  },
  {
    row: 40,
    name: 'presents a result to another service than the one that asked',
    on: withResults,
    without: careless('audience', 'a check of "aud"'),
    run: async (site) => {
      const { jwt, sub } = await approveAction(site);
      return (await new Service(site, OTHER_SHOP).accepts(jwt, sub)) ? 'a payment to another shop' : undefined;
    },
  },
  {
    row: 40,
    name: 'signs in with a result at an RP that does not look at the type of an ID token',
    on: withResults,
    without: withSubject,
    run: async (site) => {
      const { jwt } = await approveAction(site);
      const { issuer } = site;
      return jwtVerify(jwt, keysOf(site), { issuer, audience: SHOP, requiredClaims: ['sub'] }).then(
        ({ payload }) => `a sign-in as ${payload.sub}`,
        () => undefined,
      );
    },
  },
];
