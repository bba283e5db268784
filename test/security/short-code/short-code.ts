/** Attacks with the short code. They must not be easier than attacks with the QR code on the same page. */
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import { PhoneActs } from '../../../src/ticket/phone.ts';
import type { Answer } from '../../support/agent.ts';
import { approveTyped, shortCodeOn, shortCodesAllowed, typeIn } from '../../support/typing.ts';
import type { PhoneVisitor, Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { isLimited } from '../limits/acts.ts';
import { browserAt, followToRp, phoneOf, scanCode, type TextFields } from '../meeting.ts';
import { asWaiting, phoneFinds } from '../weaknesses.ts';

const NO_LIMIT = 1_000_000;

const counted: WorldOptions = { proxy: true, qrLogin: { shortCode: true, limits: {} } };

/** A server on which a second account may claim a ticket. */
const withoutOwner: Weakness = { defence: 'the owner of a ticket', patch: phoneFinds(asWaiting) };

/** A server on which a denial does not end the ticket. */
const reopenedAfterDeny: Weakness = {
  defence: 'the end of a denied ticket',
  patch: phoneFinds((ticket) => (ticket.state === 'denied' ? asWaiting(ticket) : ticket)),
};

/** A server that forgets that a short code was typed. */
const withoutTypedNote: Weakness = {
  defence: 'the note that the short code was typed',
  patch: replacing(
    PhoneActs.prototype,
    'scan',
    (original) =>
      function (this: PhoneActs, id, approver, { typed: _forgotten, ...scanning } = {}) {
        return original.call(this, id, approver, scanning);
      },
  ),
};

/** A server that finds the new ticket by the short code of the renewed one. */
const sameAfterRenewal: Weakness = {
  defence: 'a new short code for each ticket',
  patch: replacing(
    KeyvTicketStore.prototype,
    'find',
    (original) =>
      async function (this: KeyvTicketStore, id) {
        const ticket = await original.call(this, id);
        return ticket?.state === 'cancelled' ? this.findByInteraction(ticket.interaction) : ticket;
      },
  ),
};

/** A server that accepts the text of a QR code in the field for a short code. */
const withoutDistinction: Weakness = {
  defence: 'a distinction between codes and short codes',
  patch: replacing(
    PhoneActs.prototype,
    'findTyped',
    (original) =>
      async function (this: PhoneActs, typed) {
        const ticket = typed.length > 24 ? await this.preview(this.read(typed).id) : undefined;
        return ticket ?? original.call(this, typed);
      },
  ),
};

/** Types an unknown short code with each of these headers. @returns the number of tries that were not limited */
async function countGuesses(site: Site, phone: PhoneVisitor, tries: readonly TextFields[]): Promise<number> {
  const url = `${site.issuer}/qr/scan`;
  const { csrf } = (await phone.look(url)).json();
  let served = 0;
  for (const headers of tries) {
    const answer = await phone.agent.post(url, { json: { csrf, shortCode: 'QLMY-2568' }, headers });
    if (!isLimited(answer)) served += 1;
  }
  return served;
}

function claimed(answer: Answer): string | undefined {
  return answer.status === 200 ? answer.text : undefined;
}

const guessing: Attack[] = [
  {
    row: 17,
    name: 'guesses short codes with one account, from many addresses',
    on: counted,
    without: { defence: 'a limit by account', options: withLimits({ account: { shortCode: NO_LIMIT } }) },
    run: async (site) => {
      const addresses = Array.from({ length: 10 }, (_, at) => ({ 'x-forwarded-for': `203.0.113.${at}` }));
      const served = await countGuesses(site, await phoneOf(site, 'bob'), addresses);
      return served > 6 ? `${served} guesses a minute` : undefined;
    },
  },
  {
    row: 17,
    name: 'guesses short codes from one address, with many accounts',
    on: { ...counted, ...withLimits({ account: { shortCode: NO_LIMIT } }) },
    without: {
      defence: 'a limit by address',
      options: withLimits({ address: { shortCode: NO_LIMIT }, account: { shortCode: NO_LIMIT } }),
    },
    run: async (site) => {
      const tries = Array.from({ length: 15 }, () => ({ 'x-forwarded-for': '203.0.113.7' }));
      let served = 0;
      for (const name of ['alice', 'bob']) served += await countGuesses(site, await phoneOf(site, name), tries);
      return served > 20 ? `${served} guesses a minute` : undefined;
    },
  },
];

const claiming: Attack[] = [
  {
    row: 13,
    name: 'finishes without a check code after the victim has typed the short code of the attacker',
    on: shortCodesAllowed,
    without: withoutTypedNote,
    run: async (site) => {
      const [attacker, victim] = [await browserAt(site), await phoneOf(site)];
      must(await typeIn(victim, site, await shortCodeOn(attacker)));
      await approveTyped(victim);
      return followToRp(attacker, await attacker.finish());
    },
  },
  {
    row: 14,
    name: 'takes a ticket over by typing the short code that the victim has typed',
    on: shortCodesAllowed,
    without: withoutOwner,
    run: async (site) => {
      const [browser, victim, attacker] = [await browserAt(site), await phoneOf(site), await phoneOf(site, 'bob')];
      const shortCode = await shortCodeOn(browser);
      must(await typeIn(victim, site, shortCode));
      return claimed(await typeIn(attacker, site, shortCode));
    },
  },
  {
    row: 3,
    name: 'types the short code of a ticket that was scanned and denied',
    on: shortCodesAllowed,
    without: reopenedAfterDeny,
    run: async (site) => {
      const [browser, victim, attacker] = [await browserAt(site), await phoneOf(site), await phoneOf(site, 'bob')];
      const shortCode = await shortCodeOn(browser);
      await scanCode(victim, browser);
      await victim.decide('deny');
      return claimed(await typeIn(attacker, site, shortCode));
    },
  },
  {
    row: 3,
    name: 'types the short code of a ticket that was renewed',
    on: shortCodesAllowed,
    without: sameAfterRenewal,
    run: async (site) => {
      const [browser, attacker] = [await browserAt(site), await phoneOf(site, 'bob')];
      const shortCode = await shortCodeOn(browser);
      await browser.post(`${browser.at}/qr/renew`, {});
      if ((await shortCodeOn(browser)) === shortCode) throw new Error('the short code has not changed');
      return claimed(await typeIn(attacker, site, shortCode));
    },
  },
  {
    row: 3,
    name: 'types the text of a QR code into the field for a short code',
    on: shortCodesAllowed,
    without: withoutDistinction,
    run: async (site) => {
      const [browser, attacker] = [await browserAt(site), await phoneOf(site, 'bob')];
      const code = new URL(await browser.code()).pathname.split('/').at(-1) ?? '';
      return claimed(await typeIn(attacker, site, code));
    },
  },
  {
    row: 3,
    name: 'types a short code on a server whose option shortCode is off',
    on: { qrLogin: { shortCode: false } },
    without: { defence: 'the option switched off', options: shortCodesAllowed },
    run: async (site) => {
      const [browser, attacker] = [await browserAt(site), await phoneOf(site, 'bob')];
      const shortCode = await shortCodeOn(browser).catch(() => 'QLMY-2568');
      return claimed(await typeIn(attacker, site, shortCode));
    },
  },
];

export const attacks: Attack[] = [...guessing, ...claiming];

function withLimits(limits: NonNullable<WorldOptions['qrLogin']>['limits']): WorldOptions {
  return { qrLogin: { shortCode: true, ...(limits !== undefined && { limits }) } };
}

function must(answer: Answer): void {
  if (answer.status !== 200) throw new Error(`the victim cannot type the short code: ${answer.status} ${answer.text}`);
}
