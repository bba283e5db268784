/** Row 16 of the table in docs/security.md: if Approve requires a passkey, the server accepts nothing else. */
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanCode } from '../meeting.ts';
import { Authenticator, type Fault } from './authenticator.ts';
import { unchecked } from './lax.ts';
import { approveWith, approveWithCookiesOf, challengeOnPhone, phoneWithPasskey } from './people.ts';
import { signIns } from './sign-in.ts';

const guarded: WorldOptions = { passkeys: true };
const tap: Weakness = {
  defence: 'the guard',
  options: { qrLogin: { guard: { challenge: () => undefined, verify: () => ({ amr: [] }) } } },
};

const PART = { ticket: 1, session: 2 } as const;

/** Returns a server whose challenges do not depend on the ticket, or do not depend on the session. */
function nonceWithout(part: 'ticket' | 'session', name: string): Weakness {
  const patch = replacing(
    SecretKeys.prototype,
    'candidates',
    (original) =>
      function (this: SecretKeys, purpose, ...parts) {
        const isApproval = purpose === 'nonce' && parts[0] === 'approve';
        return original.call(this, purpose, ...(isApproval ? parts.filter((_, index) => index !== PART[part]) : parts));
      },
  );
  return { defence: name, patch };
}

/** Faults in an answer, each of which the server has to notice. */
const faults: readonly [string, Fault, Parameters<typeof unchecked>[0]][] = [
  ['was given to another site', { origin: 'https://localhost.evil.example' }, 'origin'],
  ['was made for another domain', { rpId: 'evil.example' }, 'domain'],
  ['was made without user verification', { isUserVerified: false }, 'user verification'],
  ['belongs to a registration', { type: 'webauthn.create' }, 'type'],
  ['names another account as its owner', { owner: 'b0b' }, 'user handle'],
  ['comes from a copy of the passkey with an older counter', { counter: 0 }, 'counter'],
];

const forged: Attack[] = faults.map(([what, fault, check]) => ({
  row: 16,
  name: `approves with the cookies of the phone and an answer of the passkey that ${what}`,
  on: guarded,
  without: unchecked(check),
  run: async (site) => {
    const alice = await phoneWithPasskey(site);
    return approveWithCookiesOf(alice, (challenge) => alice.passkey.answer(challenge, fault));
  },
}));

const NO_PROOFS = ['', '{}', 'null', '[]', 'x', '{"id":"x","response":{}}', '{"id":"__proto__","response":null}'];

const approvals: Attack[] = [
  {
    row: 16,
    name: 'approves with the cookies of the phone and without a passkey',
    on: guarded,
    without: tap,
    run: async (site) => {
      const { phone } = await phoneWithPasskey(site);
      const attacker = await browserAt(site);
      await scanCode(phone, attacker);
      for (const proof of NO_PROOFS) {
        const { status } = await approveWith(phone, proof);
        if (status >= 500) return `${proof} is answered with ${status}`;
      }
      return followToRp(attacker, await attacker.finish());
    },
  },
  {
    row: 16,
    name: "approves with the cookies of the phone and the attacker's own passkey",
    on: guarded,
    without: unchecked('owner'),
    run: async (site) => {
      const [alice, bob] = [await phoneWithPasskey(site), await phoneWithPasskey(site, 'bob')];
      return approveWithCookiesOf(alice, (challenge) => bob.passkey.answer(challenge));
    },
  },
  {
    row: 16,
    name: "approves with the cookies of the phone and another key's signature for the victim's passkey",
    on: guarded,
    without: unchecked('signature'),
    run: async (site) => {
      const alice = await phoneWithPasskey(site);
      const other = new Authenticator(site.issuer);
      return approveWithCookiesOf(alice, (challenge) =>
        JSON.stringify({
          ...JSON.parse(other.answer(challenge, { counter: 99 })),
          id: alice.passkey.id,
          rawId: alice.passkey.id,
        }),
      );
    },
  },
  {
    row: 16,
    name: 'approves with the cookies of the phone and an unused answer for another ticket',
    on: guarded,
    without: nonceWithout('ticket', 'a challenge for each ticket'),
    run: async (site) => {
      const alice = await phoneWithPasskey(site);
      const other = await browserAt(site);
      await scanCode(alice.phone, other);
      const challenge = await challengeOnPhone(alice.phone);
      return approveWithCookiesOf(alice, () => alice.passkey.answer(challenge));
    },
  },
  {
    row: 16,
    name: 'approves with the cookies of the phone and a used answer of a passkey without a counter',
    on: guarded,
    without: nonceWithout('ticket', 'a challenge for each ticket'),
    run: async (site) => {
      const alice = await phoneWithPasskey(site);
      alice.passkey.isCounting = false;
      const other = await browserAt(site);
      await scanCode(alice.phone, other);
      const proof = alice.passkey.answer(await challengeOnPhone(alice.phone));
      if ((await approveWith(alice.phone, proof)).status !== 200) throw new Error('a good proof is refused');
      return approveWithCookiesOf(alice, () => proof);
    },
  },
  {
    row: 16,
    name: 'approves with the cookies of the phone and an unused answer from another phone of the victim',
    on: guarded,
    without: unchecked('challenge'),
    run: async (site) => {
      const alice = await phoneWithPasskey(site);
      const [own, other] = [await browserAt(site), await phoneOf(site)];
      await scanCode(other, own);
      const challenge = await challengeOnPhone(other);
      return approveWithCookiesOf(alice, () => alice.passkey.answer(challenge));
    },
  },
];

export const attacks: Attack[] = [...approvals, ...forged, ...signIns];
