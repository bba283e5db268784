import type { Context, Middleware } from 'koa';
import { accountOf, assertSignedIn } from '../../oidc/approver.ts';
import type { Interaction } from '../../oidc/interaction.ts';
import { findUnaskedReplacement } from '../../oidc/replacing.ts';
import {
  findPendingLogin,
  findResumingInteraction,
  isOutdated,
  type PendingLogin,
  refuseResume,
} from '../../oidc/resume/resume.ts';
import { approverOfNote } from '../../oidc/resume/resumed.ts';
import type { RefusalReason } from '../../oidc/sign-in.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { SignInRevocation } from '../devices/revocation.ts';
import { type AccountSwitchPorts, askBeforeReplacing } from './account-switch.ts';

export interface ResumePorts extends AccountSwitchPorts {
  readonly revocation: Pick<SignInRevocation, 'isRevoked'>;
  readonly enrolments: Pick<Enrolments, 'isWithdrawn'>;
  readonly clock: Clock;
}

/**
 * Checks a finished sign-in once more when the browser resumes its request, which may be an hour later. Mounted in
 * front of oidc-provider's own URL that resumes an interaction.
 *
 * - A sign-in that may not happen any more ends with an error for the RP.
 * - If another account is signed in to this browser, the user is asked before it is signed out. oidc-provider would not
 *   ask.
 */
export function checkBeforeResuming(ports: ResumePorts): Middleware {
  return async (ctx: Context, next) => {
    const isRead = ['GET', 'HEAD'].includes(ctx.method);
    const interaction = isRead ? await findResumingInteraction(ports.provider, ctx) : undefined;
    const login = interaction && findPendingLogin(interaction);
    if (interaction === undefined || login === undefined) return next();
    const refusal = await findRefusal(ports, interaction, login);
    if (refusal !== undefined) {
      await refuseResume(interaction, refusal);
      return next();
    }
    const replacement = await findUnaskedReplacement(ports.provider, ctx, interaction);
    return replacement === undefined ? next() : askBeforeReplacing(ports, ctx, replacement);
  };
}

/** Returns the reason why this sign-in may not happen any more, or undefined if it may. */
async function findRefusal(
  { provider, revocation, enrolments, clock, settings }: ResumePorts,
  interaction: Interaction,
  login: PendingLogin,
): Promise<RefusalReason | undefined> {
  const { accountId, note } = login;
  const approver = note && approverOfNote(accountId, note);
  try {
    const [isRevoked, isWithdrawn] = await Promise.all([
      note?.signIn !== undefined && revocation.isRevoked({ accountId, ...note.signIn, approvedAt: note.approvedAt }),
      enrolments.isWithdrawn(accountId, note?.enrolledKey),
      accountOf(settings.findAccount, login),
      approver !== undefined && assertSignedIn(provider, approver),
    ]);
    if (isRevoked || isWithdrawn) return 'ended';
  } catch (error) {
    if (error instanceof QrLoginError && error.code === 'account_unavailable') return 'ended';
    throw error;
  }
  return isOutdated(interaction, login, clock()) ? 'freshness' : undefined;
}
