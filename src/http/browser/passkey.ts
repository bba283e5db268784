import type { RouterContext } from '@koa/router';
import { accountOf } from '../../oidc/approver.ts';
import { goingOn } from '../../oidc/interaction.ts';
import { signInRequest } from '../../oidc/request.ts';
import { subjectOf } from '../../oidc/requirements.ts';
import { signIn } from '../../oidc/sign-in.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Demand } from '../../ticket/requirements.ts';
import type { Authenticated } from '../../ticket/ticket.ts';
import { noncesOf, type PasskeyOwner, type PasskeySignIn, ProofRefused } from '../hooks/approve-guard.ts';
import { fieldsOf } from '../request/body.ts';
import { sourceOf } from '../request/client-info.ts';
import { follow } from '../request/responses.ts';
import type { Services } from '../services.ts';
import { type BrowserRequest, findLoginRequest } from './browser-request.ts';

/** Emitted on the provider with the request's context, where somebody signs in beside the code. */
export interface PasskeyEvent {
  readonly clientId: string;
  readonly accountId: string;
  readonly from: string;
}

/** The way to sign in at the browser itself that nobody can relay: it stands beside the code where the deployment offers it. */
export class PasskeyHandlers {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** What the QR page asks for a passkey with, as JSON. */
  async offer(pending: BrowserRequest): Promise<string | undefined> {
    const { passkeySignIn } = this.#services.hooks;
    return passkeySignIn && JSON.stringify(await passkeySignIn.options(this.#nonces(pending)[0] ?? ''));
  }

  /** `POST I/qr/passkey`: signs the browser in. */
  signIn = async (ctx: RouterContext): Promise<void> => {
    const { provider, ceremony, clock, announce, hooks } = this.#services;
    const pending = await findLoginRequest(this.#services, ctx);
    const { interaction, identity } = pending;
    if (interaction.result !== undefined) return follow(ctx, goingOn(provider, interaction.returnTo));
    const owner = await this.#owner(hooks.passkeySignIn, pending, fieldsOf(ctx).proof);
    await accountOf(hooks.findAccount, owner);
    // What the phone would list is asked for on the browser, as ever: there is no phone.
    const mode = (await hooks.consent(ctx, interaction)) === 'implied' ? 'implied' : 'browser';
    const request = await signInRequest(provider, interaction, mode);
    const demand: Demand = { request, shownAt: interaction.iat * 1000 };
    const who = await this.#identified(owner, demand, Math.floor(clock() / 1000));
    const said = { switchAccount: fieldsOf(ctx).switchAccount === 'yes' };
    const outcome = await ceremony.browser.signInHere(identity, who, { demand, said });
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    const event: PasskeyEvent = { clientId: request.client.id, accountId: who.accountId, from: sourceOf(ctx) };
    provider.emit('qr_login.passkey', ctx, event);
    const before = { replaces: identity.accountId, grantId: interaction.grantId };
    follow(ctx, await signIn(provider, ctx, { who, request, ...before }));
  };

  async #owner(
    passkeys: PasskeySignIn | undefined,
    pending: BrowserRequest,
    proof: string | undefined,
  ): Promise<PasskeyOwner> {
    if (passkeys === undefined) throw new QrLoginError('not_found', 'Nobody signs in with a passkey here.');
    if (!proof) throw new QrLoginError('proof_required', 'Use your passkey.');
    try {
      return await passkeys.verify(this.#nonces(pending), proof);
    } catch (cause) {
      if (!(cause instanceof ProofRefused)) throw cause;
      throw new QrLoginError(
        'wrong_proof',
        'This passkey does not sign anybody in. Try another one, or scan the code.',
        {
          cause,
        },
      );
    }
  }

  /** The owner as one who has authenticated just now. */
  async #identified(owner: PasskeyOwner, { request }: Demand, now: number): Promise<Authenticated> {
    const { accountId, acr, amr } = owner;
    const expected = request.requirements.subject;
    const subject =
      expected === undefined ? undefined : await subjectOf(this.#services.provider, request.client.id, accountId);
    return {
      accountId,
      authenticatedAt: now,
      amr,
      ...(acr !== undefined && { acr }),
      ...(subject !== undefined && { subject }),
    };
  }

  /** The challenge: bound to this interaction and this browser, which end together. */
  #nonces({ identity }: BrowserRequest): string[] {
    return noncesOf(this.#services.keys, 'passkey', identity.interaction, identity.binding);
  }
}
