/** The short code, for users who cannot scan, must not be easier to attack than the code beside it. */
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import { PhoneActs } from '../../../src/ticket/phone.ts';
import type { Answer } from '../../support/agent.ts';
import { allowed, approveTyped, shortCodeOn, typeIn } from '../../support/typing.ts';
import type { PhoneVisitor, Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { isLimited } from '../limits/acts.ts';
import { browserAt, phoneOf, type Sent, scanned, signedInBy } from '../meeting.ts';
import { phoneFinds, waiting } from '../weaknesses.ts';

const NO_LIMIT = 1_000_000;

const counted: WorldOptions = { proxy: true, qrLogin: { shortCode: true, limits: {} } };

/** A server on which a claimed ticket may be claimed again. */
const unowned: Weakness = { name: 'an owner of a ticket', patch: phoneFinds(waiting) };

/** A server on which a denial does not end the ticket. */
const undenied: Weakness = {
  name: 'an end to a denied ticket',
  patch: phoneFinds((ticket) => (ticket.state === 'denied' ? waiting(ticket) : ticket)),
};

/** A server that forgets that a short code was typed. */
const forgetful: Weakness = {
  name: 'a record that the code was typed',
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
const followed: Weakness = {
  name: 'a new short code for each ticket',
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

/** A server that accepts the scanned kind of code in the field for a short code. */
const oneForAll: Weakness = {
  name: 'a distinction between codes and short codes',
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
async function guesses(site: Site, phone: PhoneVisitor, tries: readonly Sent[]): Promise<number> {
  const url = `${site.issuer}/qr/scan`;
  const { csrf } = (await phone.look(url)).json();
  let looked = 0;
  for (const headers of tries) {
    const answer = await phone.agent.post(url, { json: { csrf, shortCode: 'QLMY-2568' }, headers });
    if (!isLimited(answer)) looked += 1;
  }
  return looked;
}

function claimed(answer: Answer): string | undefined {
  return answer.status === 200 ? answer.text : undefined;
}

const guessing: Attack[] = [
  {
    row: 17,
    name: 'guesses short codes with one account, from many addresses',
    on: counted,
    without: { name: 'a limit by account', options: withLimits({ account: { shortCode: NO_LIMIT } }) },
    run: async (site) => {
      const addresses = Array.from({ length: 10 }, (_, at) => ({ 'x-forwarded-for': `203.0.113.${at}` }));
      const looked = await guesses(site, await phoneOf(site, 'bob'), addresses);
      return looked > 6 ? `${looked} guesses a minute` : undefined;
    },
  },
  {
    row: 17,
    name: 'guesses short codes from one address, with many accounts',
    on: { ...counted, ...withLimits({ account: { shortCode: NO_LIMIT } }) },
    without: {
      name: 'a limit by address',
      options: withLimits({ address: { shortCode: NO_LIMIT }, account: { shortCode: NO_LIMIT } }),
    },
    run: async (site) => {
      const tries = Array.from({ length: 15 }, () => ({ 'x-forwarded-for': '203.0.113.7' }));
      let looked = 0;
      for (const name of ['alice', 'bob']) looked += await guesses(site, await phoneOf(site, name), tries);
      return looked > 20 ? `${looked} guesses a minute` : undefined;
    },
  },
];

const claiming: Attack[] = [
  {
    row: 13,
    name: 'finishes without a check code after the victim has typed its short code, if the deployment asks for none',
    on: allowed,
    without: forgetful,
    run: async (site) => {
      const [attacker, victim] = [await browserAt(site), await phoneOf(site)];
      must(await typeIn(victim, site, await shortCodeOn(attacker)));
      await approveTyped(victim);
      return signedInBy(attacker, await attacker.finish());
    },
  },
  {
    row: 14,
    name: 'takes a ticket over by typing the short code that the victim has typed',
    on: allowed,
    without: unowned,
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
    on: allowed,
    without: undenied,
    run: async (site) => {
      const [browser, victim, attacker] = [await browserAt(site), await phoneOf(site), await phoneOf(site, 'bob')];
      const shortCode = await shortCodeOn(browser);
      await scanned(victim, browser);
      await victim.decide('deny');
      return claimed(await typeIn(attacker, site, shortCode));
    },
  },
  {
    row: 3,
    name: 'types a short code that was on the screen before it was renewed',
    on: allowed,
    without: followed,
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
    name: 'types the code from a photo of the screen as a short code',
    on: allowed,
    without: oneForAll,
    run: async (site) => {
      const [browser, attacker] = [await browserAt(site), await phoneOf(site, 'bob')];
      const code = new URL(await browser.code()).pathname.split('/').at(-1) ?? '';
      return claimed(await typeIn(attacker, site, code));
    },
  },
  {
    row: 3,
    name: 'types a short code although the deployment has switched it off',
    on: { qrLogin: { shortCode: false } },
    without: { name: 'the switch', options: allowed },
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
  if (answer.status !== 200) throw new Error(`the victim cannot type it: ${answer.status} ${answer.text}`);
}
