import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type VerifiedAuthenticationResponse,
  verifyAuthenticationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { type ApproveGuard, type PasskeySignIn, ProofRefused } from './http/hooks/approve-guard.ts';
import type { BrowserPasskeys, PasskeyBrowser } from './http/hooks/browser-passkeys.ts';
import { type PasskeyRecords, wrapRecords } from './passkey-records.ts';
import { makeRegistration, type OnNewPasskey, type PasskeyRegistration, userHandleOf } from './passkey-registration.ts';

export type { BrowserPasskeys, PasskeyBrowser } from './http/hooks/browser-passkeys.ts';
export type { NewPasskey, OnNewPasskey, PasskeyRegistration, RegistrationProof } from './passkey-registration.ts';

/** A registered passkey. */
export interface Passkey extends WebAuthnCredential {
  readonly accountId: string;
  /**
   * True if an attestation that you trust has shown that the key cannot leave its hardware. Only then does `amr`
   * include `hwk` (RFC 8176).
   * @default false
   */
  readonly isHardwareBound?: boolean;
  /**
   * The user handle that it was created for (base64url), if it was not registered by `registration`.
   * @default the account's id in UTF-8
   */
  readonly userHandle?: string;
  /** The browser that added it with the phone's approval: see the option `browserPasskeys`. */
  readonly browser?: PasskeyBrowser;
}

export interface PasskeyOptions {
  /** The provider's issuer. Passkeys work on its origin and belong to its host, or to a parent domain (see `rpId`). */
  readonly issuer: string;

  /**
   * The domain that the passkeys were registered for (WebAuthn Level 3, section 5.1.2, "RP ID").
   * @default the issuer's host name
   */
  readonly rpId?: string;

  /**
   * The origins of your apps, beside the issuer's, on which a passkey may approve: `https://app.example.com` for a web
   * app, `android:apk-key-hash:…` for an Android app (WebAuthn Level 3, section 13.4.9). It counts for `guard` only:
   * browsers sign in, and passkeys are added, on the issuer's origin.
   * @default none
   */
  readonly appOrigins?: readonly string[];

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
   * Stores a new passkey and returns true. If a passkey with this id exists on any account, it changes nothing and
   * returns false. `registration` calls it.
   * @default `registration` is not available
   */
  readonly add?: (passkey: Passkey) => Promise<boolean> | boolean;

  /**
   * Removes a passkey, if it is one of this account. `browserPasskeys` calls it when the passkey or its browser is
   * removed at `/qr/devices`.
   * @default `browserPasskeys` is not available
   */
  readonly remove?: (accountId: string, id: string) => Promise<void> | void;

  /**
   * Called for each passkey that `registration` or `browserPasskeys` has added, to inform the account's owner by mail
   * or push. It is not awaited; an error becomes a process warning.
   * @default none: new passkeys are not announced
   */
  readonly onNewPasskey?: OnNewPasskey;

  /**
   * The name of your provider, which browsers may show beside a new passkey.
   * @default the issuer's host name
   */
  readonly name?: string;

  /**
   * Decides about Approve on an account without a passkey: `'refuse'` demands that the user adds one first, `'allow'`
   * accepts a tap.
   * @default 'refuse'
   */
  readonly withoutPasskey?: 'refuse' | 'allow';

  /** The authentication context class of a sign-in with a passkey instead of the code. */
  readonly acr?: string;
}

/** Proof of possession of a key (RFC 8176, section 2). User verification is required at every use. */
const POSSESSION = ['pop'];

/** One object for each use of passkeys. */
export interface Passkeys {
  /** Asks for a passkey before Approve: for the option `guard`. */
  readonly guard: ApproveGuard;
  /** Offers a passkey beside the code: for the option `passkeySignIn`. */
  readonly signIn: PasskeySignIn;
  /** Adds passkeys, on a page of yours. Its `add` throws a TypeError without the option `add`. */
  readonly registration: PasskeyRegistration;
  /**
   * Offers a passkey to a browser that a phone has signed in: for the option `browserPasskeys`. It needs the options
   * `add` and `remove`.
   */
  readonly browserPasskeys: BrowserPasskeys;
}

/**
 * Returns one object for each use of passkeys. The challenges of `guard` are bound to the ticket and to the phone's
 * session or its app's key, those of `signIn` to the interaction and the browser, so neither need be stored.
 */
export function passkeys(options: PasskeyOptions): Passkeys {
  const { origin, hostname } = new URL(options.issuer);
  const rpID = options.rpId ?? hostname;
  const records = wrapRecords(options);

  const ask = (nonce: string, allowed?: readonly Passkey[]): Promise<object> =>
    generateAuthenticationOptions({
      rpID,
      challenge: Buffer.from(nonce, 'base64url'),
      userVerification: 'required',
      ...(allowed && {
        allowCredentials: allowed.map(({ id, transports }) => ({ id, ...(transports && { transports }) })),
      }),
    });

  /**
   * Checks an answer.
   * @param accountId the account that must own the passkey; absent if only the passkey names the account. With it, the
   * answer may also come from one of the `appOrigins`.
   */
  const check = async (nonces: readonly string[], answer: string, accountId?: string): Promise<Passkey> => {
    const response = read(answer);
    const passkey = await records.find(response.id);
    if (passkey === undefined) throw new ProofRefused('this passkey is not registered');
    if (accountId !== undefined && passkey.accountId !== accountId)
      throw new ProofRefused('the passkey belongs to another account');
    if (accountId !== undefined && passkey.browser !== undefined)
      throw new ProofRefused('the passkey belongs to a browser and not to the phone');
    assertUserHandle(passkey, response, accountId !== undefined);
    const { authenticationInfo } = await verifyResponse({
      response,
      expectedChallenge: (challenge) => nonces.includes(challenge),
      expectedOrigin: accountId === undefined ? origin : [origin, ...(options.appOrigins ?? [])],
      expectedRPID: rpID,
      credential: passkey,
      requireUserVerification: true,
    });
    await records.used(passkey.id, authenticationInfo.newCounter);
    return passkey;
  };

  const registration = makeRegistration({
    origin,
    rpId: rpID,
    rpName: options.name ?? hostname,
    ...records,
    onNewPasskey: options.onNewPasskey ?? (() => undefined),
  });

  return {
    guard: {
      challenge: async ({ accountId, nonce }) => {
        // Leave out the passkeys of browsers, because the phone does not have them.
        const allowed = (await records.ofAccount(accountId)).filter(({ browser }) => browser === undefined);
        if (allowed.length > 0) return { passkey: await ask(nonce, allowed) };
        return options.withoutPasskey === 'allow' ? undefined : { unavailable: true };
      },
      verify: async ({ accountId, nonces }, answer) => ({ amr: amrOf(await check(nonces, answer, accountId)) }),
    },
    signIn: {
      // Pass no list of keys, because the account is not known yet.
      options: (nonce) => ask(nonce),
      verify: async (nonces, answer) => {
        const passkey = await check(nonces, answer);
        const { accountId } = passkey;
        return { accountId, amr: amrOf(passkey), ...(options.acr !== undefined && { acr: options.acr }) };
      },
    },
    registration,
    browserPasskeys: forBrowsers(registration, records),
  };
}

/**
 * Adds passkeys with the phone's approval, and stores with each passkey the browser for which the phone has approved
 * it.
 */
function forBrowsers(registration: PasskeyRegistration, records: PasskeyRecords): BrowserPasskeys {
  return {
    options: (accountId, userName) => registration.options({ accountId }, userName),
    add: async (ctx, { accountId, browser, challenge }, answer) => {
      await registration.add(ctx, { accountId, browser }, challenge, read(answer));
    },
    list: async (accountId) =>
      (await records.ofAccount(accountId)).flatMap(({ id, browser }) =>
        browser === undefined ? [] : [{ id, browser }],
      ),
    remove: records.remove,
  };
}

/**
 * Compares the answer's user handle with the passkey's owner (WebAuthn Level 3, section 7.2). If the passkey alone
 * names the user, the answer must have a user handle. If the account is known before, an authenticator may leave it
 * out.
 * @throws ProofRefused if the user handle belongs to another user, or is missing
 */
function assertUserHandle(passkey: Passkey, { response }: AuthenticationResponseJSON, isIdentified: boolean): void {
  const { userHandle } = response;
  if (!userHandle) {
    if (isIdentified) return;
    throw new ProofRefused('the answer does not say whose passkey it is');
  }
  const owner = Buffer.from(passkey.userHandle ?? userHandleOf(passkey.accountId), 'base64url');
  if (typeof userHandle !== 'string' || !Buffer.from(userHandle, 'base64url').equals(owner)) {
    throw new ProofRefused('the answer names another user than the owner of the passkey');
  }
}

function amrOf({ isHardwareBound }: Passkey): string[] {
  return isHardwareBound ? [...POSSESSION, 'hwk', 'user'] : [...POSSESSION, 'user'];
}

/**
 * Parses a `PublicKeyCredential` in JSON (WebAuthn Level 3, section 5.1.7), and checks the members that are needed to
 * find its key.
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
  if (!('id' in value) || typeof value.id !== 'string' || !('response' in value)) return false;
  return typeof value.response === 'object' && value.response !== null;
}

async function verifyResponse(
  given: Parameters<typeof verifyAuthenticationResponse>[0],
): Promise<VerifiedAuthenticationResponse> {
  let verification: VerifiedAuthenticationResponse;
  try {
    verification = await verifyAuthenticationResponse(given);
  } catch (cause) {
    throw new ProofRefused("the passkey's answer cannot be verified", { cause });
  }
  if (!verification.verified) throw new ProofRefused("the passkey's signature is wrong");
  return verification;
}
