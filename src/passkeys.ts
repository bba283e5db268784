import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type VerifiedAuthenticationResponse,
  verifyAuthenticationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { type ApproveGuard, type PasskeySignIn, ProofRefused } from './http/hooks/approve-guard.ts';

/** A registered passkey. */
export interface Passkey extends WebAuthnCredential {
  readonly accountId: string;
  /**
   * True if an attestation that you trust has shown that the key cannot leave its hardware. Only then does `amr`
   * include `hwk` (RFC 8176).
   * @default false
   */
  readonly isHardwareBound?: boolean;
}

export interface PasskeyOptions {
  /** The provider's issuer. Passkeys work on its origin and belong to its host, or to a parent domain (see `rpId`). */
  readonly issuer: string;

  /**
   * The domain that the passkeys were registered for (WebAuthn Level 3, section 5.1.2, "RP ID").
   * @default the issuer's host name
   */
  readonly rpId?: string;

  /** Returns the passkeys of an account. */
  readonly ofAccount: (accountId: string) => Promise<readonly Passkey[]> | readonly Passkey[];

  /** Returns the passkey with this id (base64url). */
  readonly find: (id: string) => Promise<Passkey | undefined> | Passkey | undefined;

  /**
   * Stores the signature counter after a use. A counter that goes back means that there is a copy of the key (WebAuthn
   * Level 3, section 6.1.1).
   */
  readonly used: (id: string, counter: number) => Promise<void> | void;

  /**
   * The demand of Approve on an account without a passkey: `'refuse'`, it must add one first; `'allow'`, a tap is
   * enough.
   * @default 'refuse'
   */
  readonly withoutPasskey?: 'refuse' | 'allow';

  /** The authentication context class of a sign-in with a passkey instead of the code. */
  readonly acr?: string;
}

/** Proof of possession of a key (RFC 8176, section 2). User verification is required at every use. */
const POSSESSION = ['pop'];

/**
 * Returns passkeys for both uses: `guard` asks for one before Approve, `signIn` offers one next to the code. The
 * challenges are bound to the ticket and the session, or to the interaction and the browser, so they need not be
 * stored.
 */
export function passkeys(options: PasskeyOptions): { readonly guard: ApproveGuard; readonly signIn: PasskeySignIn } {
  const { origin, hostname } = new URL(options.issuer);
  const rpID = options.rpId ?? hostname;

  const ask = (nonce: string, allowed?: readonly Passkey[]): Promise<object> =>
    generateAuthenticationOptions({
      rpID,
      challenge: Buffer.from(nonce, 'base64url'),
      userVerification: 'required',
      ...(allowed && {
        allowCredentials: allowed.map(({ id, transports }) => ({ id, ...(transports && { transports }) })),
      }),
    });

  const check = async (nonces: readonly string[], answer: string, accountId?: string): Promise<Passkey> => {
    const response = read(answer);
    const passkey = await options.find(response.id);
    if (passkey === undefined) throw new ProofRefused('nobody has this passkey');
    if (accountId !== undefined && passkey.accountId !== accountId) throw new ProofRefused('it is of another account');
    const { authenticationInfo } = await verified({
      response,
      expectedChallenge: (challenge) => nonces.includes(challenge),
      expectedOrigin: origin,
      expectedRPID: rpID,
      credential: passkey,
      requireUserVerification: true,
    });
    await options.used(passkey.id, authenticationInfo.newCounter);
    return passkey;
  };

  return {
    guard: {
      challenge: async ({ accountId, nonce }) => {
        const allowed = await options.ofAccount(accountId);
        if (allowed.length > 0) return { passkey: await ask(nonce, allowed) };
        return options.withoutPasskey === 'allow' ? undefined : { unavailable: true };
      },
      verify: async ({ accountId, nonces }, answer) => ({ amr: amrOf(await check(nonces, answer, accountId)) }),
    },
    signIn: {
      // Without a list of keys, because the account is not known yet.
      options: (nonce) => ask(nonce),
      verify: async (nonces, answer) => {
        const passkey = await check(nonces, answer);
        const { accountId } = passkey;
        return { accountId, amr: amrOf(passkey), ...(options.acr !== undefined && { acr: options.acr }) };
      },
    },
  };
}

function amrOf({ isHardwareBound }: Passkey): string[] {
  return isHardwareBound ? [...POSSESSION, 'hwk', 'user'] : [...POSSESSION, 'user'];
}

/**
 * Parses a `PublicKeyCredential` in JSON (WebAuthn Level 3, section 5.1.7), and checks the members that finding its key
 * needs.
 */
function read(answer: string): AuthenticationResponseJSON {
  try {
    const response: unknown = JSON.parse(answer);
    if (isResponse(response)) return response;
  } catch (cause) {
    throw new ProofRefused('the answer is no JSON', { cause });
  }
  throw new ProofRefused('the answer is not that of a passkey');
}

function isResponse(value: unknown): value is AuthenticationResponseJSON {
  if (typeof value !== 'object' || value === null) return false;
  return 'id' in value && typeof value.id === 'string' && 'response' in value && typeof value.response === 'object';
}

async function verified(
  given: Parameters<typeof verifyAuthenticationResponse>[0],
): Promise<VerifiedAuthenticationResponse> {
  let verification: VerifiedAuthenticationResponse;
  try {
    verification = await verifyAuthenticationResponse(given);
  } catch (cause) {
    throw new ProofRefused("the passkey's answer is not good", { cause });
  }
  if (!verification.verified) throw new ProofRefused("the passkey's signature is wrong");
  return verification;
}
