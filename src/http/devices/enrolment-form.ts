import type { Context } from 'koa';
import { localAuthentication } from '../../oidc/local-authentication.ts';
import type { Provider } from '../../oidc/provider.ts';
import { readBrowserKey } from '../../ticket/browsers/browser-key.ts';
import { hasSignedEnrolment } from '../../ticket/browsers/enrolment.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SessionApprover } from '../../ticket/ticket.ts';
import { noncesOf } from '../hooks/approve-guard.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { Pages } from '../pages/page-data.ts';
import { describeUserAgent } from '../request/client-info.ts';
import type { DeviceDescriber } from '../request/device.ts';
import type { Urls } from '../request/urls.ts';
import type { Enrolments } from './enrolments.ts';

/** The highest age of the sign-in by which a browser can be enrolled, in seconds. */
const PROOF_AGE_S = 15 * 60;

export interface EnrolmentFormPorts {
  readonly provider: Provider;
  readonly enrolments: Pick<Enrolments, 'isOffered' | 'enrolBrowser'>;
  readonly devices: DeviceDescriber;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly urls: Urls;
  readonly settings: { readonly signIn: SignIn };
}

/** Lets a user enrol the very browser that shows the list of browsers. */
export class EnrolmentForm {
  readonly #ports: EnrolmentFormPorts;

  constructor(ports: EnrolmentFormPorts) {
    this.#ports = ports;
  }

  /**
   * Returns the challenge for the key of this browser, or the address where its user has to sign in first; undefined if
   * no account needs an enrolled browser.
   */
  async offer(ctx: Context, { accountId, sessionUid }: SessionApprover): Promise<Pages['devices']['enrol']> {
    const { enrolments, keys, urls, settings } = this.#ports;
    if (!enrolments.isOffered) return undefined;
    if ((await this.findProof(ctx)) !== undefined) return { nonce: this.#nonces(keys, sessionUid)[0] ?? '' };
    return { signIn: await settings.signIn(ctx, { returnTo: urls.devices, fresh: true, accountId }) };
  }

  /**
   * Enrols this browser if its user signed in here a short time ago and its key signed the challenge of this session.
   * @throws QrLoginError `sign_in_again`, `wrong_proof`
   */
  async enrol(
    ctx: Context,
    { accountId, sessionUid }: SessionApprover,
    { key, signature }: { readonly key: string; readonly signature: string },
  ): Promise<void> {
    const { enrolments, devices, keys, clock } = this.#ports;
    if (!enrolments.isOffered) throw new QrLoginError('invalid_request', 'No account needs an enrolled browser here.');
    // Take the time before the session is read. A later "sign out all" then ends the session, or takes this enrolment
    // back.
    const provenAt = clock();
    const proof = await this.findProof(ctx);
    if (proof?.accountId !== accountId)
      throw new QrLoginError('sign_in_again', 'Sign in on this device itself, then enrol it within 15 minutes.');
    const publicKey = readBrowserKey(key);
    if (!hasSignedEnrolment(publicKey, this.#nonces(keys, sessionUid), signature))
      throw new QrLoginError('wrong_proof', 'The key must sign the challenge of this page.');
    const { userAgent, place } = await devices.describe(ctx);
    const described = { ...describeUserAgent(userAgent), place };
    await enrolments.enrolBrowser(ctx, { accountId, key: publicKey, by: 'sign-in', provenAt, ...described });
  }

  /** Returns the account that has signed in on this very device a short time ago; undefined for a sign-in by QR. */
  findProof(ctx: Context): Promise<{ readonly accountId: string } | undefined> {
    return localAuthentication(this.#ports.provider, ctx, { maxAge: PROOF_AGE_S });
  }

  #nonces(keys: SecretKeys, sessionUid: string): string[] {
    return noncesOf(keys, 'enrol', sessionUid);
  }
}
