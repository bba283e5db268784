import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type VerifiedAuthenticationResponse,
  verifyAuthenticationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { type ApproveGuard, type PasskeySignIn, ProofRefused } from './http/hooks/approve-guard.ts';

/** A passkey, as it was registered. */
export interface Passkey extends WebAuthnCredential {
  readonly accountId: string;
  /**
   * Whether an attestation that you trust has shown that the key cannot leave its hardware. Only then is `hwk` (RFC 8176) claimed.
   * @default false
   */
  readonly isHardwareBound?: boolean;
}

export interface PasskeyOptions {
  /** The provider's issuer: passkeys work on its origin, and are its host's (or its parent domain's, see `rpId`). */
  readonly issuer: string;

  /**
   * The domain that the passkeys were registered for (WebAuthn Level 3, section 5.1.2, "RP ID").
   * @default the issuer's host name
   */
  readonly rpId?: string;

  /** The passkeys of an account. */
  readonly ofAccount: (accountId: string) => Promise<readonly Passkey[]> | readonly Passkey[];

  /** The passkey with this id (base64url). */
  readonly find: (id: string) => Promise<Passkey | undefined> | Passkey | undefined;

  /** Keeps the signature counter after a use; one that goes back means a copy of the key (WebAuthn Level 3, section 6.1.1). */
  readonly used: (id: string, counter: number) => Promise<void> | void;

  /**
   * What Approve takes of an account without a passkey: `'refuse'`, it must add one first; `'allow'`, a tap is enough.
   * @default 'refuse'
   */
  readonly withoutPasskey?: 'refuse' | 'allow';

  /** The authentication context class of a sign-in with a passkey beside the code. */
  readonly acr?: string;
}

/** Proof of possession of a key (RFC 8176, section 2); user verification is demanded of every use. */
const POSSESSION = ['pop'];

/**
 * Passkeys for both uses: `guard` before Approve, `signIn` beside the code. Their challenges are bound to the ticket and the session,
 * or to the interaction and the browser, so nothing has to be kept of them.
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
      // Without a list of keys: nobody has said yet who they are.
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

/** A `PublicKeyCredential` as JSON (WebAuthn Level 3, section 5.1.7), as far as it is needed to look its key up. */
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
