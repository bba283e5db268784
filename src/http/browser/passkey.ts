import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import { callListener } from '../../oidc/call-listener.ts';
import { makeResumeUrl } from '../../oidc/interaction.ts';
import type { Provider } from '../../oidc/provider.ts';
import { signInRequest } from '../../oidc/request/request.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import { signIn } from '../../oidc/sign-in.ts';
import type { BrowserActs } from '../../ticket/browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { AuthenticatedUser, SignInRequest } from '../../ticket/ticket.ts';
import type { Announce } from '../events/ticket-events.ts';
import { noncesOf, type PasskeyOwner, type PasskeySignIn, ProofRefused } from '../hooks/approve-guard.ts';
import type { ConsentPolicy } from '../hooks/hooks.ts';
import { sourceOf } from '../request/client-info.ts';
import { follow } from '../request/responses.ts';
import type { BrowserRequest, PromptForm } from './browser-request.ts';

/**
 * Emitted as `qr_login.passkey` on the provider, with the request's context, when a browser signs in with a passkey
 * instead of the code.
 */
export interface PasskeyEvent {
  readonly clientId: string;
  readonly accountId: string;
  readonly from: string;
}

export interface PasskeyPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly browser: Pick<BrowserActs, 'signInHere'> };
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly announce: Announce;
  readonly settings: {
    readonly findAccount: FindAccount;
    readonly consent: ConsentPolicy;
    readonly passkeySignIn?: PasskeySignIn | undefined;
  };
}

/**
 * Signs the browser in with a passkey instead of the code, if the deployment offers it. A passkey cannot be relayed.
 */
export class PasskeyHandlers {
  readonly #ports: PasskeyPorts;

  constructor(ports: PasskeyPorts) {
    this.#ports = ports;
  }

  /** Returns the options of `navigator.credentials.get()` as JSON; undefined if there are no passkeys. */
  async offer(request: BrowserRequest): Promise<string | undefined> {
    const { passkeySignIn } = this.#ports.settings;
    return passkeySignIn && JSON.stringify(await passkeySignIn.options(this.#nonces(request)[0] ?? ''));
  }

  /**
   * `GET /interaction/:uid/qr/passkey`: the same options for a page of the deployment below `/interaction/:uid`, such
   * as its password page. Its script posts the answer to the same URL.
   */
  options = async (request: BrowserRequest): Promise<void> => {
    const { passkeySignIn } = this.#ports.settings;
    if (passkeySignIn === undefined || request.interaction.prompt.name !== 'login') throw noPasskeys();
    request.ctx.body = await passkeySignIn.options(this.#nonces(request)[0] ?? '');
  };

  /** `POST /interaction/:uid/qr/passkey`: signs the browser in. */
  signIn = async (form: PromptForm<'login'>): Promise<void> => {
    const { provider, ceremony, clock, announce, settings } = this.#ports;
    const { ctx, interaction, identity, fields } = form;
    if (interaction.result !== undefined) return follow(form, makeResumeUrl(provider, interaction.returnTo));
    const owner = await this.#verifyOwner(settings.passkeySignIn, form);
    await accountOf(settings.findAccount, owner);
    // There is no phone that could list what the client asks for, so the browser asks for consent.
    const mode = (await settings.consent(ctx, interaction)) === 'implied' ? 'implied' : 'browser';
    const request = await signInRequest(provider, interaction, mode);
    const user = await this.#describeUser(owner, request, Math.floor(clock() / 1000));
    const input = { switchAccount: fields.switchAccount === 'yes' };
    const outcome = await ceremony.browser.signInHere(identity, user, { demand: { request }, input });
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    const event: PasskeyEvent = { clientId: request.client.id, accountId: user.accountId, from: sourceOf(ctx) };
    callListener(() => provider.emit('qr_login.passkey', ctx, event));
    const before = { replaces: identity.accountId, grantId: interaction.grantId };
    follow(form, await signIn(provider, ctx, { user, request, ...before }));
  };

  async #verifyOwner(passkeys: PasskeySignIn | undefined, form: PromptForm<'login'>): Promise<PasskeyOwner> {
    const { proof } = form.fields;
    if (passkeys === undefined) throw noPasskeys();
    if (!proof) throw new QrLoginError('proof_required', 'Use your passkey.');
    try {
      return await passkeys.verify(this.#nonces(form), proof);
    } catch (cause) {
      if (!(cause instanceof ProofRefused)) throw cause;
      throw new QrLoginError('wrong_proof', 'This passkey cannot sign you in. Try another one, or scan the code.', {
        cause,
      });
    }
  }

  /** Returns the owner of the passkey as a user who has authenticated at this moment. */
  async #describeUser(owner: PasskeyOwner, request: SignInRequest, now: number): Promise<AuthenticatedUser> {
    const { accountId, acr, amr } = owner;
    const expected = request.requirements.subject;
    const subject =
      expected === undefined ? undefined : await subjectOf(this.#ports.provider, request.client.id, accountId);
    return {
      accountId,
      authenticatedAt: now,
      forTicket: true,
      amr,
      ...(acr !== undefined && { acr }),
      ...(subject !== undefined && { subject }),
    };
  }

  /** Returns the challenges, which are bound to this interaction and this browser. */
  #nonces({ identity }: BrowserRequest): string[] {
    return noncesOf(this.#ports.keys, 'passkey', identity.interaction, identity.binding);
  }
}

function noPasskeys(): QrLoginError {
  return new QrLoginError('not_found', 'This provider has no sign-in with a passkey.');
}
