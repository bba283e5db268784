/** Rows 3 and 4 of the table in docs/security.md: codes that the server never showed. */
import { randomBytes } from 'node:crypto';
import { Codes } from '../../../src/ticket/codes/code.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { codeIn, ID_LENGTH, idIn } from '../../support/codes.ts';
import type { PhoneVisitor, Site } from '../../support/visitors.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { expectStatus, openQrPage, signInPhone } from '../scene.ts';

const anyMac: Weakness = {
  defence: 'the check of the MAC',
  patch: replacing(Codes.prototype, 'isFresh', () => () => true),
};

const anySpelling: Weakness = {
  defence: 'a single valid spelling of a code',
  patch: replacing(Codes.prototype, 'idOf', () => (code) => {
    const bytes = Buffer.from(code, 'base64url');
    return bytes.length < 34 ? undefined : bytes.toString('base64url', 0, 18);
  }),
};

/** A MAC that covers no data, so that the MAC of one code fits any other. */
const macOfNothing: Weakness = {
  defence: 'an id in the MAC',
  patch: () => {
    const undo = [
      replacing(
        SecretKeys.prototype,
        'mac',
        (original) =>
          function (this: SecretKeys, purpose, ...parts) {
            return original.call(this, purpose, ...(purpose === 'code' ? [] : parts));
          },
      )(),
      replacing(
        SecretKeys.prototype,
        'candidates',
        (original) =>
          function (this: SecretKeys, purpose, ...parts) {
            return original.call(this, purpose, ...(purpose === 'code' ? [] : parts));
          },
      )(),
    ];
    return () => {
      for (const one of undo) one();
    };
  },
};

const GUESSES = ['0', 'a', 'x', 'secret', 'changeme', 'a secret that only this test knows', 'keyboard cat'].map(
  (word) => word.padEnd(32, word),
);

const guessableSecret: Weakness = {
  defence: 'a secret that cannot be guessed',
  options: { qrLogin: { secrets: [GUESSES[4] ?? ''] } },
};

const at = (site: Site, code: string): string => `${site.issuer}/qr/${code}`;

/** Opens each of these codes. @returns the first code that the server lets the phone scan */
async function findAccepted(phone: PhoneVisitor, codes: Iterable<string>): Promise<string | undefined> {
  for (const code of codes) {
    const answer = await phone.look(at(phone.site, code));
    if (answer.status === 200 && 'csrf' in answer.json()) return `a landing page for ${code}`;
  }
  return undefined;
}

/** Returns the attacker's phone, and a code that is on the victim's screen. */
async function photographCode(site: Site): Promise<{ phone: PhoneVisitor; code: string }> {
  const [victim, phone] = await Promise.all([openQrPage(site), signInPhone(site, 'bob')]);
  return { phone, code: codeIn(await victim.code()) };
}

/** Claims the ticket. @returns the answer to the phone, if it succeeded */
async function claim(phone: PhoneVisitor, code: string): Promise<string | undefined> {
  const { status, text } = await phone.scan(at(phone.site, code));
  return status === 200 ? text : undefined;
}

function* flipBits(code: string): Generator<string> {
  const bytes = Buffer.from(code, 'base64url');
  for (const [index, byte] of bytes.entries()) {
    const other = Buffer.from(bytes);
    other[index] = byte ^ (1 << (index % 8));
    yield other.toString('base64url');
  }
}

/** Returns other texts that a lenient decoder decodes to the same bytes, or to enough of them. */
function spellingsOf(code: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // The last base64url digit has unused bits.
  const spare = [1, 5, 15].map((more) => alphabet[alphabet.indexOf(code.slice(-1)) + more] ?? '');
  return [
    ...spare.filter((digit) => digit !== '').map((digit) => code.slice(0, -1) + digit),
    `${code}=`,
    `${code}==`,
    `${code}A`,
    `${code}%00`,
    `%20${code}`,
    `${code}.`,
    `${code.slice(0, 20)}%0A${code.slice(20)}`,
    code.slice(0, -1),
    code.slice(0, ID_LENGTH),
    code + code,
    Buffer.from(code, 'base64url').toString('hex'),
  ];
}

export const attacks: readonly Attack[] = [
  {
    row: 4,
    name: 'opens a code with one bit flipped, anywhere in it',
    run: async (site) => {
      const { phone, code } = await photographCode(site);
      return findAccepted(phone, flipBits(code));
    },
    without: anyMac,
  },
  {
    row: 4,
    name: 'opens a code in another spelling, truncated or with a suffix',
    run: async (site) => {
      const { phone, code } = await photographCode(site);
      return findAccepted(phone, spellingsOf(code));
    },
    without: anySpelling,
  },
  {
    row: 4,
    name: "claims a ticket by its id with the MAC of another browser's code",
    run: async (site) => {
      const { phone, code } = await photographCode(site);
      const own = await openQrPage(site);
      const forged = idIn(code) + codeIn(await own.code()).slice(ID_LENGTH);
      return claim(phone, forged);
    },
    without: macOfNothing,
  },
  {
    row: 4,
    name: 'claims a ticket by its id with a MAC under a guessed secret',
    run: async (site) => {
      const { phone, code } = await photographCode(site);
      for (const secret of GUESSES) {
        const forged = new Codes(new SecretKeys([secret]), 10_000).show(idIn(code), Date.now()).code;
        const got = await claim(phone, forged);
        if (got !== undefined) return got;
      }
      return undefined;
    },
    without: guessableSecret,
  },
  {
    row: 4,
    name: 'opens codes for ids that it made itself',
    run: async (site) => {
      const { phone, code } = await photographCode(site);
      const own = Array.from({ length: 8 }, () => randomBytes(34).toString('base64url'));
      const mac = code.slice(ID_LENGTH);
      const mixed = Array.from({ length: 8 }, () => randomBytes(18).toString('base64url') + mac);
      const empty = Buffer.alloc(34).toString('base64url');
      return findAccepted(phone, [...own, ...mixed, empty, Buffer.alloc(34, 0xff).toString('base64url')]);
    },
    without: anyMac,
  },
  {
    row: 4,
    name: 'claims a ticket with the CSRF token of a form in place of the MAC',
    run: async (site) => {
      const { phone, code } = await photographCode(site);
      const landed = expectStatus(await phone.look(at(site, code)), 200, 'the landing page');
      const forged = idIn(code) + `${landed.json().csrf}`.slice(0, 22);
      // Use another phone, because the first one has a cookie that says that it has opened the good code.
      const other = await signInPhone(site, 'bob');
      const [id, mac] = [idIn(code), Buffer.from(forged.slice(ID_LENGTH), 'base64url').subarray(0, 16)];
      return claim(other, Buffer.concat([Buffer.from(id, 'base64url'), mac]).toString('base64url'));
    },
    without: anyMac,
  },
];
