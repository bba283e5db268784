/** Attacks on the choice and the secrecy of the approving account: F5 and F6 of the study in flaws.ts. */
import { BrowserViews } from '../../../src/http/ticket-view/browser-view.ts';
import { ownerOf } from '../../../src/ticket/ticket.ts';
import { type Attack, replacing } from '../attack.ts';
import { accountAt, approve, expectStatus, goOn, openQrPage, scanOnPhone, signInPhone } from '../scene.ts';
import { believing } from '../weaknesses.ts';

type FlawAttack = Omit<Attack, 'row'>;

/** The id and names of the example's alice. */
const ALICE = { id: 'a11ce', userName: 'alice', name: 'Alice Liddell', email: 'alice@example.com' };

const FIELDS = {
  account: ALICE.id,
  accountId: ALICE.id,
  account_id: ALICE.id,
  sub: ALICE.id,
  uid: ALICE.id,
  user: ALICE.userName,
  username: ALICE.userName,
  email: ALICE.email,
};

const HEADERS = {
  'x-account-id': ALICE.id,
  'x-user': ALICE.userName,
  'x-user-id': ALICE.id,
  'x-forwarded-user': ALICE.userName,
  'x-remote-user': ALICE.userName,
  authorization: `Bearer ${ALICE.id}`,
};

export const bobInAliceName: FlawAttack = {
  name: "approves with the attacker's own session and the victim's account in the address, the headers and the body",
  without: {
    defence: 'an approver that only the session decides',
    options: believing((ctx) => ctx.get('x-account-id') || undefined),
  },
  run: async (site) => {
    const browser = await openQrPage(site);
    const phone = await signInPhone(site, 'bob');
    phone.network = claiming(phone.network);
    expectStatus(await phone.scan(await browser.code()), 200, 'the confirm page');
    const checkCode = await approve(phone);
    const answer = expectStatus(await browser.finish(checkCode), 200, 'the sign-in');
    await goOn(browser, answer.json().redirectTo);
    const account = await accountAt(site, browser.agent);
    if (account === undefined) throw new Error('no account was signed in');
    return account === ALICE.name ? account : undefined;
  },
};

/** Names alice in the query, the headers and the body of each request. */
function claiming(network: typeof fetch): typeof fetch {
  return (input, init) => {
    const url = new URL(`${input}`);
    for (const [name, value] of Object.entries(FIELDS)) url.searchParams.set(name, value);
    const body = typeof init?.body === 'string' ? JSON.stringify({ ...JSON.parse(init.body), ...FIELDS }) : undefined;
    return network(url, {
      ...init,
      headers: { ...Object.fromEntries(new Headers(init?.headers)), ...HEADERS },
      ...(body !== undefined && { body }),
    });
  };
}

export const nameOnTheScreen: FlawAttack = {
  name: "shows the victim a code, and reads on the attacker's own screen which account has scanned and approved it",
  without: {
    defence: 'a view for the browser that leaves the account out',
    patch: replacing(
      BrowserViews.prototype,
      'draw',
      (original) =>
        function (this: BrowserViews, ticket, ...given) {
          const view = original.call(this, ticket, ...given);
          return Object.assign(view, { account: ticket && ownerOf(ticket)?.accountId });
        },
    ),
  },
  run: async (site) => {
    const { browser: attacker, phone } = await scanOnPhone(site);
    const stream = await attacker.events();
    const seen = [JSON.stringify(await stream.ticket('scanned'))];
    const look = async (): Promise<void> => {
      for (const path of ['', '/qr', '/qr?after=0']) seen.push((await attacker.agent.get(attacker.at + path)).text);
    };
    await look();
    await approve(phone);
    seen.push(JSON.stringify(await stream.ticket('approved')));
    stream.close();
    await look();
    const asked = expectStatus(await phone.look(), 200, "the victim's phone");
    if (asked.json().account !== ALICE.name) throw new Error("the phone does not show the victim's name");
    return seen.find((text) => Object.values(ALICE).some((known) => text.includes(known)));
  },
};
