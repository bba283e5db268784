/**
 * Row 2 of the table in docs/security.md: the code, and the answers to the phone that scans it, contain nothing with
 * which another browser can finish.
 */
import { BrowserViews } from '../../../src/http/ticket-view/browser-view.ts';
import { PhoneActs } from '../../../src/ticket/phone.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { type BrowserVisitor, PhoneVisitor, type Site } from '../../support/visitors.ts';
import { type Attack, replacing } from '../attack.ts';
import { accountAt, goOn, openQrPage, scanAndApprove, scanOnPhone, stealCookies, uidOf } from '../scene.ts';
import { all, bindingFromTheUrl, interactionFromTheUrl } from '../weaknesses.ts';

/** Returns the patch of a weak server that adds a query to the address in the code. */
function codeWith(more: (ticket: Ticket) => string): () => () => void {
  return replacing(
    BrowserViews.prototype,
    'draw',
    (original) =>
      function (this: BrowserViews, ticket, now, accountId) {
        const view = original.call(this, ticket, now, accountId);
        if (view.qr === undefined || ticket === undefined) return view;
        return { ...view, qr: { ...view.qr, url: `${view.qr.url}?${more(ticket)}` } };
      },
  );
}

/** A code that holds the uid of its interaction. */
const uidInTheCode = codeWith(({ interaction }) => `i=${interaction}`);

/** A code that holds the fingerprint of the binding, as the store has it. */
const fingerprintInTheCode = codeWith(({ browser }) => `b=${browser.binding}`);

/** A server that tells the phone the uid of the interaction, among the scopes. */
const uidOnThePhone = replacing(
  PhoneActs.prototype,
  'look',
  (original) =>
    async function (this: PhoneActs, id, approver, seen) {
      const ticket = await original.call(this, id, approver, seen);
      return { ...ticket, request: { ...ticket.request, scopes: [...ticket.request.scopes, ticket.interaction] } };
    },
);

/**
 * Returns every text that can be read from a code: its parts, the bytes of each part, and other encodings of these
 * bytes.
 */
function readingsOf(code: string): string[] {
  const parts = code.split(/[/?&=#:.]+/).filter((part) => part.length > 3);
  const bytes = parts.map((part) => Buffer.from(part, 'base64url'));
  const cut = bytes.flatMap((all) => [
    all,
    all.subarray(0, 16),
    all.subarray(2, 18),
    all.subarray(0, 18),
    all.subarray(18),
  ]);
  const encoded = cut.flatMap((some) => (['utf8', 'hex', 'base64url'] as const).map((to) => some.toString(to)));
  return [...new Set([code, ...parts, ...encoded])].filter((reading) => reading.length > 3);
}

/** Returns the values that only the victim's browser may know, each with its name. */
async function secretsOf(victim: BrowserVisitor): Promise<[string, string][]> {
  const cookies = await victim.agent.jar.store.getAllCookies();
  const values = cookies.flatMap(({ key, value }) => value.split('.').map((part): [string, string] => [key, part]));
  const clientId = Buffer.from(victim.site.client.id).toString('base64url');
  const secret = values.filter(([, value]) => value.length > 8 && value !== clientId);
  if (secret.length === 0) throw new Error('the victim has no cookies');
  return [['the uid', uidOf(victim)], ...secret];
}

/** Returns the name of the secret that a text holds, if any. */
async function leakIn(text: string, victim: BrowserVisitor): Promise<string | undefined> {
  const found = (await secretsOf(victim)).find(([, secret]) => text.includes(secret));
  return found?.[0];
}

/** Tries everything that can be read from the code as the uid of an interaction. */
async function finishWithReadingsOfCode(site: Site): Promise<string | undefined> {
  const { browser: victim, code, checkCode } = await scanAndApprove(site);
  const readings = readingsOf(code).filter((reading) => /^[\w-]+$/.test(reading));
  for (const reading of readings) {
    const attacker = await stealCookies(victim, () => false);
    attacker.at = `${site.issuer}/interaction/${reading}`;
    const answer = await attacker.finish(checkCode);
    if (answer.status !== 200) continue;
    await goOn(attacker, answer.json().redirectTo);
    const account = await accountAt(site, attacker.agent);
    if (account !== undefined) return `the session of ${account}`;
  }
  return undefined;
}

/** Returns everything that the server sends to the phone from the scan to the decision: bodies, headers and cookies. */
async function sentToPhone(site: Site): Promise<{ received: string; victim: BrowserVisitor }> {
  const { browser: victim, phone, code } = await scanOnPhone(site);
  const answers = [await phone.look(code), await phone.look()];
  for (const url of [code, phone.at]) {
    answers.push(await phone.agent.get(url, { headers: { accept: 'text/html' } }));
  }
  answers.push(await phone.decide('approve'), await phone.look());
  // A phone without a session is redirected to the sign-in.
  answers.push(await new PhoneVisitor(site).agent.get(await (await openQrPage(site)).code()));
  const received = answers.map(({ headers, text }) => `${JSON.stringify([...headers])}\n${text}`).join('\n');
  return { received, victim };
}

export const attacks: readonly Attack[] = [
  {
    row: 2,
    name: 'reads the uid or a cookie of the browser from its code',
    run: async (site) => {
      const victim = await openQrPage(site);
      return leakIn(readingsOf(await victim.code()).join('\n'), victim);
    },
    without: { defence: 'a code without the uid', patch: uidInTheCode },
  },
  {
    row: 2,
    name: 'finishes with a value that can be read from the code',
    run: finishWithReadingsOfCode,
    without: {
      defence: 'cookies and a code without the uid',
      patch: all(uidInTheCode, bindingFromTheUrl),
      options: interactionFromTheUrl,
    },
  },
  {
    row: 2,
    name: 'recognizes a browser by a part that its codes have in common',
    run: async (site) => {
      const [one, other] = await Promise.all([openQrPage(site), openQrPage(site)]);
      const first = readingsOf(await one.code());
      await one.post(`${one.at}/qr/renew`, {});
      const foreign = readingsOf(await other.code());
      const common = readingsOf(await one.code()).filter((reading) => first.includes(reading));
      return common.find((reading) => !foreign.includes(reading));
    },
    without: { defence: 'codes without data of the browser', patch: fingerprintInTheCode },
  },
  {
    row: 2,
    name: 'reads the uid or a cookie of the browser from the answers to the phone that scans',
    run: async (site) => {
      const { received, victim } = await sentToPhone(site);
      return leakIn(received, victim);
    },
    without: { defence: 'answers to the phone without the uid', patch: uidOnThePhone },
  },
];
