/**
 * Row 13 of the table in docs/security.md: an attacker who has not seen the phone does not get in, even if a victim
 * approves by mistake.
 */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { idIn } from '../../support/codes.ts';
import type { BrowserVisitor } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanAndApprove } from '../meeting.ts';
import { MANY, together } from '../steps/races.ts';
import { all, lastWriteWins } from '../weaknesses.ts';
import { evidence } from './evidence.ts';
import { familiarity } from './familiar.ts';

const checked: WorldOptions = { qrLogin: { assess: () => 'check code' } };
const limited: WorldOptions = {
  qrLogin: { assess: () => 'check code', limits: { account: { scan: 1000, decide: 1000 } } },
};

/** A high hourly limit, which has the same effect as hours between the sign-ins. */
const limitedInARow: WorldOptions = {
  qrLogin: {
    assess: () => 'check code',
    limits: { account: { scan: 1000, decide: 1000, checkCode: 1000, consecutiveCheckCodes: 10 } },
  },
};

/** Guesses of an attacker who does not know the digits. */
const GUESSES = ['', ' ', 'undefined', 'null', '0', '0000000', '１２３４５６', '%00', '[object Object]'];

function wrongCode(checkCode: string, turn: number = 1): string {
  return `${(Number(checkCode) + turn) % 1_000_000}`.padStart(6, '0');
}

/** Sends all guesses at the same time. @returns the number of guesses that were compared with the right check code */
async function countCompared(attacker: BrowserVisitor, guesses: readonly string[]): Promise<number> {
  const answers = await Promise.all(guesses.map((guess) => attacker.finish(guess)));
  return answers.filter((answer) => answer.json().error === 'wrong_check_code').length;
}

/** A store that writes slowly: a read in the meantime gets the previous version. */
const slow = replacing(
  KeyvTicketStore.prototype,
  'swap',
  (original) =>
    async function (this: KeyvTicketStore, previous, next, ended) {
      await setTimeout(20);
      return original.call(this, previous, next, ended);
    },
);

/** A store that does not cancel a ticket after too many wrong check codes. */
const forgetful = replacing(
  KeyvTicketStore.prototype,
  'swap',
  (original) =>
    function (this: KeyvTicketStore, previous, next, ended) {
      const isLastTry = next.state === 'cancelled' && next.because === 'check code';
      const kept: Ticket = isLastTry ? { ...previous, version: next.version } : next;
      return original.call(this, previous, kept, ended);
    },
);

/** Replaces the MACs of check codes by weaker ones that do not depend on the ticket, or on the key. */
function weakMacs(make: (keys: SecretKeys, parts: readonly string[]) => Buffer): () => () => void {
  return all(
    replacing(
      SecretKeys.prototype,
      'mac',
      (original) =>
        function (this: SecretKeys, purpose, ...parts) {
          return purpose === 'check code' && parts[0] !== ''
            ? make(this, parts)
            : original.call(this, purpose, ...parts);
        },
    ),
    replacing(
      SecretKeys.prototype,
      'candidates',
      (original) =>
        function (this: SecretKeys, purpose, ...parts) {
          return purpose === 'check code' ? [make(this, parts)] : original.call(this, purpose, ...parts);
        },
    ),
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function digitsOf(digest: Buffer): string {
  return `${digest.readUIntBE(0, 6) % 1_000_000}`.padStart(6, '0');
}

const guessing: Attack[] = [
  {
    row: 13,
    name: 'finishes an approved sign-in without the digits',
    on: checked,
    without: { defence: 'the check code', options: { qrLogin: { assess: () => 'allow' } } },
    run: async (site) => {
      const attacker = await browserAt(site);
      await scanAndApprove(await phoneOf(site), attacker);
      for (const guess of [undefined, ...GUESSES]) {
        const who = await followToRp(attacker, await attacker.finish(guess));
        if (who !== undefined) return who;
      }
      return undefined;
    },
  },
  {
    row: 13,
    name: 'types three wrong check codes and then the right one',
    on: checked,
    without: { defence: 'a limit of tries for each ticket', patch: forgetful },
    run: async (site) => {
      const attacker = await browserAt(site);
      const checkCode = await scanAndApprove(await phoneOf(site), attacker);
      for (let turn = 1; turn <= 3; turn++) {
        const { status } = await attacker.finish(wrongCode(checkCode, turn));
        if (status !== 403) throw new Error(`a wrong check code is answered with ${status}`);
      }
      return followToRp(attacker, await attacker.finish(checkCode));
    },
  },
  {
    row: 13,
    name: 'tries 50 check codes at the same time',
    on: checked,
    without: { defence: 'compare-and-swap', patch: all(lastWriteWins, slow), options: together(/\/qr\/finish$/) },
    run: async (site) => {
      const attacker = await browserAt(site);
      const checkCode = await scanAndApprove(await phoneOf(site), attacker);
      const guesses = Array.from({ length: MANY }, (_, index) => wrongCode(checkCode, index + 1));
      const tries = await countCompared(attacker, guesses);
      return tries > 3 ? `${tries} tries` : undefined;
    },
  },
  {
    row: 13,
    name: 'tries check codes at many approved sign-ins, one after the other',
    on: limited,
    without: { defence: 'a limit of tries for each account', options: { qrLogin: { limits: false } } },
    run: async (site) => {
      const phone = await phoneOf(site);
      let tries = 0;
      for (let tickets = 0; tickets < 5; tickets++) {
        const attacker = await browserAt(site, { 'user-agent': `Mozilla/5.0 (another browser, ${tickets})` });
        const checkCode = await scanAndApprove(phone, attacker);
        tries += await countCompared(
          attacker,
          [1, 2, 3].map((turn) => wrongCode(checkCode, turn)),
        );
      }
      return tries > 12 ? `${tries} tries` : undefined;
    },
  },
  {
    row: 13,
    name: 'tries check codes for days and stays below the hourly limit',
    on: limitedInARow,
    without: { defence: 'a limit of wrong tries in a row', options: { qrLogin: { limits: false } } },
    run: async (site) => {
      const phone = await phoneOf(site);
      let tries = 0;
      for (let tickets = 0; tickets < 5; tickets++) {
        const attacker = await browserAt(site, { 'user-agent': `Mozilla/5.0 (another browser, ${tickets})` });
        const scanned = await phone.scan(await attacker.code());
        if (scanned.status === 429) break;
        const checkCode = `${(await phone.approve()).checkCode}`;
        tries += await countCompared(
          attacker,
          [1, 2, 3].map((turn) => wrongCode(checkCode, turn)),
        );
      }
      return tries > 12 ? `${tries} tries` : undefined;
    },
  },
  {
    row: 13,
    name: "types the check code of the attacker's own ticket",
    on: checked,
    without: {
      defence: 'a check code for each ticket',
      patch: weakMacs((keys) => keys.mac('check code', '')),
    },
    run: async (site) => {
      const [own, attacker] = [await browserAt(site), await browserAt(site)];
      const checkCode = await scanAndApprove(await phoneOf(site, 'bob'), own);
      const right = await scanAndApprove(await phoneOf(site), attacker);
      if (checkCode === right && (await countCompared(attacker, [wrongCode(right)])) === 0)
        throw new Error('a wrong check code was not refused');
      return followToRp(attacker, await attacker.finish(checkCode));
    },
  },
  {
    row: 13,
    name: 'computes the check code from what the browser sees',
    on: checked,
    without: { defence: 'a key in the MAC', patch: weakMacs((_keys, parts) => sha256(parts.join())) },
    run: async (site) => {
      const attacker = await browserAt(site);
      const stream = await attacker.events();
      const code = await attacker.code();
      const checkCode = await scanAndApprove(await phoneOf(site), attacker);
      const seen = [JSON.stringify(await stream.ticket('approved')), (await attacker.agent.get(attacker.at)).text];
      stream.close();
      seen.push(...(await attacker.agent.jar.getCookies(attacker.at)).map(String));
      const uid = new URL(attacker.at).pathname.split('/').at(-1) ?? '';
      const worked = [idIn(code), code, uid, attacker.at].map((text) => digitsOf(sha256(text)));
      const written = seen.flatMap((text) => text.match(/(?<![\w.-])\d{6}(?![\w.-])/g) ?? []);
      return [...worked, ...written].includes(checkCode) ? checkCode : undefined;
    },
  },
];

export const attacks: Attack[] = [...guessing, ...familiarity, ...evidence];
