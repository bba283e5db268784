import type { RouterContext } from '@koa/router';
import { accountOf } from '../oidc/approver.ts';
import { goingOn } from '../oidc/interaction.ts';
import { signInRequest } from '../oidc/request.ts';
import { subjectOf } from '../oidc/requirements.ts';
import { signInHere } from '../oidc/sign-in.ts';
import { QrLoginError } from '../ticket/errors.ts';
import type { Demand } from '../ticket/requirements.ts';
import type { Approver } from '../ticket/ticket.ts';
import { follow } from './answers.ts';
import { sourceOf } from './client-info.ts';
import { fieldsOf } from './guards.ts';
import { type Pending, pendingLogin } from './pending.ts';
import { type PasskeyOwner, type PasskeySignIn, ProofRefused } from './proof.ts';
import type { Services } from './services.ts';

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
  async offer(pending: Pending): Promise<string | undefined> {
    const { passkeySignIn } = this.#services.hooks;
    return passkeySignIn && JSON.stringify(await passkeySignIn.options(this.#nonce(pending)));
  }

  /** `POST I/qr/passkey`: signs the browser in. */
  signIn = async (ctx: RouterContext): Promise<void> => {
    const { provider, ceremony, clock, announce, hooks } = this.#services;
    const pending = await pendingLogin(this.#services, ctx);
    const { interaction, identity } = pending;
    if (interaction.result !== undefined) return follow(ctx, goingOn(provider, interaction.returnTo));
    const owner = await this.#owner(hooks.passkeySignIn, pending, fieldsOf(ctx).proof);
    await accountOf(hooks.findAccount, owner);
    const request = await signInRequest(provider, interaction);
    const demand: Demand = { request, shownAt: interaction.iat * 1000 };
    const who = await this.#identified(owner, demand, Math.floor(clock() / 1000));
    const said = { switchAccount: fieldsOf(ctx).switchAccount === 'yes' };
    const outcome = await ceremony.browser.signInHere(identity, who, { demand, said });
    if (outcome?.changed) announce(ctx, 'qr_login.cancelled', outcome.ticket);
    const event: PasskeyEvent = { clientId: request.client.id, accountId: who.accountId, from: sourceOf(ctx) };
    provider.emit('qr_login.passkey', ctx, event);
    follow(ctx, await signInHere(provider, ctx, who, identity.accountId));
  };

  async #owner(
    passkeys: PasskeySignIn | undefined,
    pending: Pending,
    proof: string | undefined,
  ): Promise<PasskeyOwner> {
    if (passkeys === undefined) throw new QrLoginError('not_found', 'Nobody signs in with a passkey here.');
    if (!proof) throw new QrLoginError('proof_required', 'Use your passkey.');
    try {
      return await passkeys.verify(this.#nonce(pending), proof);
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

  /** The owner as one who approves, who was there just now. */
  async #identified(owner: PasskeyOwner, { request }: Demand, now: number): Promise<Approver> {
    const { accountId, acr, amr } = owner;
    const expected = request.requirements.subject;
    const subject =
      expected === undefined ? undefined : await subjectOf(this.#services.provider, request.client.id, accountId);
    return {
      accountId,
      sessionUid: '',
      authenticatedAt: now,
      amr,
      ...(acr !== undefined && { acr }),
      ...(subject !== undefined && { subject }),
    };
  }

  /** The challenge: bound to this interaction and this browser, which end together. */
  #nonce({ identity }: Pending): string {
    return this.#services.keys.mac('nonce', 'passkey', identity.interaction, identity.binding).toString('base64url');
  }
}
