import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import type { Context } from 'koa';
import { ProofRefused } from './http/hooks/approve-guard.ts';
import type { PasskeyBrowser } from './http/hooks/browser-passkeys.ts';
import { callInBackground } from './http/hooks/call-hook.ts';
import { describeUserAgent, userAgentOf } from './http/request/client-info.ts';
import type { LocalAuthentication } from './oidc/local-authentication.ts';
import type { Passkey } from './passkeys.ts';

/** A passkey that was just added to an account. */
export interface NewPasskey {
  readonly accountId: string;
  /** The passkey's id (base64url). */
  readonly id: string;
  /** The claimed name and system of the browser that added it. */
  readonly browser: { readonly name?: string; readonly system?: string };
  /** The time in milliseconds since the epoch. */
  readonly at: number;
}

/** Announces a new passkey to its account's owner, by mail or push. The request does not wait for it. */
export type OnNewPasskey = (ctx: Context, passkey: NewPasskey) => void | Promise<void>;

/**
 * The proof that the user is at the browser that adds a passkey. It is from `localAuthentication()`, or, with a
 * `browser`, the phone's approval of this passkey in that browser.
 */
export interface RegistrationProof extends Pick<LocalAuthentication, 'accountId'> {
  readonly browser?: PasskeyBrowser;
}

/** Adds passkeys to the account of a user who has just authenticated in this browser. */
export interface PasskeyRegistration {
  /**
   * Returns the options of `navigator.credentials.create()` as JSON. Keep their `challenge` for this browser until it
   * answers, for example in a signed cookie.
   * @param userName the name under which the browser lists the passkey
   */
  options(proof: RegistrationProof, userName: string): Promise<PublicKeyCredentialCreationOptionsJSON>;

  /**
   * Checks the browser's answer, stores the passkey and announces it.
   * @param answer `PublicKeyCredential.toJSON()` of the browser
   * @throws ProofRefused if the answer is wrong, or if a passkey with this id exists already, on any account
   */
  add(ctx: Context, proof: RegistrationProof, challenge: string, answer: unknown): Promise<Passkey>;
}

export interface RegistrationPorts {
  readonly origin: string;
  readonly rpId: string;
  readonly rpName: string;
  readonly ofAccount: (accountId: string) => Promise<readonly Passkey[]> | readonly Passkey[];
  readonly find: (id: string) => Promise<Passkey | undefined> | Passkey | undefined;
  readonly add: (passkey: Passkey) => Promise<boolean> | boolean;
  readonly onNewPasskey: OnNewPasskey;
}

/** Returns the user handle of an account (WebAuthn Level 3, section 5.4.3): its id in UTF-8, as base64url. */
export function userHandleOf(accountId: string): string {
  return Buffer.from(accountId).toString('base64url');
}

export function makeRegistration(ports: RegistrationPorts): PasskeyRegistration {
  return {
    options: async ({ accountId }, userName) =>
      generateRegistrationOptions({
        rpName: ports.rpName,
        rpID: ports.rpId,
        userName,
        userID: new Uint8Array(Buffer.from(accountId)),
        excludeCredentials: (await ports.ofAccount(accountId)).map(({ id }) => ({ id })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      }),
    add: async (ctx, { accountId, browser }, challenge, answer) => {
      const credential = await credentialIn(answer, challenge, ports);
      const passkey: Passkey = { ...credential, accountId, ...(browser !== undefined && { browser }) };
      // WebAuthn Level 3, section 7.1: an id that is registered already, for any user, is refused. Otherwise an account
      // could take over the passkey of another one.
      const isNew = (await ports.find(passkey.id)) === undefined && (await ports.add(passkey));
      if (!isNew) throw new ProofRefused('a passkey with this id exists already');
      announce(ports.onNewPasskey, ctx, passkey);
      return passkey;
    },
  };
}

async function credentialIn(
  answer: unknown,
  expectedChallenge: string,
  { origin, rpId }: RegistrationPorts,
): Promise<WebAuthnCredential> {
  if (!isAnswer(answer)) throw new ProofRefused('the answer is not that of a new passkey');
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: answer,
      expectedChallenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
    });
    if (registrationInfo !== undefined) return registrationInfo.credential;
  } catch (cause) {
    throw new ProofRefused("the new passkey's answer cannot be verified", { cause });
  }
  throw new ProofRefused("the new passkey's attestation is wrong");
}

function isAnswer(value: unknown): value is RegistrationResponseJSON {
  if (typeof value !== 'object' || value === null || !('response' in value)) return false;
  return 'id' in value && typeof value.id === 'string' && typeof value.response === 'object' && value.response !== null;
}

function announce(onNewPasskey: OnNewPasskey, ctx: Context, { accountId, id }: Passkey): void {
  const passkey: NewPasskey = { accountId, id, browser: describeUserAgent(userAgentOf(ctx)), at: Date.now() };
  callInBackground('passkeys.onNewPasskey', () => onNewPasskey(ctx, passkey));
}
