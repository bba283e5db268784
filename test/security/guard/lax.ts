/** Servers that leave out one check of a passkey's answer. They show that each check is needed. */
import { verify } from 'node:crypto';
import { type ApproveGuard, type PasskeySignIn, ProofRefused } from '../../../src/index.ts';
import type { Weakness } from '../attack.ts';
import { REGISTERED, sha256 } from './authenticator.ts';

const CHECKS = [
  'challenge',
  'origin',
  'domain',
  'type',
  'user verification',
  'counter',
  'owner',
  'user handle',
  'signature',
] as const;
type Check = (typeof CHECKS)[number];

interface Expectation {
  readonly nonce: string;
  /** The account that must own the passkey; undefined if any account may sign in. */
  readonly accountId?: string;
}

const counters = new Map<string, number>();

/** Runs all checks except one. @returns the id of the passkey's account */
function runChecks(without: Check, { nonce, accountId }: Expectation, answer: string): string {
  const { id, response } = JSON.parse(answer) as { id: string; response: Record<string, string> };
  const passkey = REGISTERED.get(id);
  if (passkey === undefined) throw new ProofRefused('this passkey is unknown');
  const bytes = (name: string): Buffer => Buffer.from(response[name] ?? '', 'base64url');
  const [clientData, data] = [bytes('clientDataJSON'), bytes('authenticatorData')];
  const parsed = JSON.parse(`${clientData}`) as Record<string, string>;
  const origin = new URL(parsed.origin ?? '');
  const before = counters.get(id) ?? 0;
  const counter = data.readUInt32BE(33);
  const results: Record<Check, boolean> = {
    challenge: parsed.challenge === nonce,
    origin: origin.hostname === 'localhost',
    domain: data.subarray(0, 32).equals(sha256('localhost')),
    type: parsed.type === 'webauthn.get',
    'user verification': ((data[32] ?? 0) & 0x04) !== 0,
    counter: counter > before || before + counter === 0,
    owner: accountId === undefined || passkey.owner === accountId,
    'user handle':
      response.userHandle === undefined ? accountId !== undefined : `${bytes('userHandle')}` === passkey.owner,
    signature: verify('sha256', Buffer.concat([data, sha256(clientData)]), passkey.publicKey, bytes('signature')),
  };
  const wrong = CHECKS.find((check) => check !== without && !results[check]);
  if (wrong !== undefined) throw new ProofRefused(`the ${wrong} is wrong`);
  counters.set(id, counter);
  return passkey.owner;
}

function laxly(without: Check): { guard: ApproveGuard; passkeySignIn: PasskeySignIn } {
  return {
    guard: {
      challenge: ({ nonce }) => ({ passkey: { challenge: nonce } }),
      verify: (wanted, answer) => {
        runChecks(without, wanted, answer);
        return { amr: ['pop', 'user'] };
      },
    },
    passkeySignIn: {
      options: (nonce) => ({ challenge: nonce }),
      verify: ([nonce = ''], answer) => ({ accountId: runChecks(without, { nonce }, answer), amr: ['pop', 'user'] }),
    },
  };
}

/** A server that makes every check but this one. */
export function unchecked(without: Check): Weakness {
  return { defence: `checking the ${without}`, options: { qrLogin: laxly(without) } };
}
