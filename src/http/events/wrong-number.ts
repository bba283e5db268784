import type { Context } from 'koa';
import type { Provider } from '../../oidc/provider.ts';
import type { CancelledTicket } from '../../ticket/ticket.ts';
import { sourceOf } from '../request/client-info.ts';
import type { RateLimits } from '../request/rate-limits.ts';
import type { WrongCheckCodes } from '../request/wrong-check-codes.ts';
import type { Announce } from './ticket-events.ts';

export interface WrongNumberPorts {
  readonly provider: Provider;
  readonly announce: Announce;
  readonly limits: Pick<RateLimits, 'afterWrongCheckCode'>;
  readonly wrongCheckCodes: Pick<WrongCheckCodes, 'noteWrong'>;
}

/** A wrong check code that was typed, or a wrong number that was tapped. */
export interface WrongTry {
  readonly accountId: string;
  /** The ticket, if this try has ended it. */
  readonly cancelledTicket: CancelledTicket | undefined;
}

/** Counts a wrong try for the account, and announces what it has caused: the end of the ticket, or a pause. */
export async function noteWrongTry(
  { provider, announce, limits, wrongCheckCodes }: WrongNumberPorts,
  ctx: Context,
  { accountId, cancelledTicket }: WrongTry,
): Promise<void> {
  if (cancelledTicket) announce(ctx, 'qr_login.cancelled', cancelledTicket);
  await limits.afterWrongCheckCode(accountId);
  const pausedUntil = await wrongCheckCodes.noteWrong(accountId);
  if (pausedUntil !== undefined)
    provider.emit('qr_login.paused', ctx, { accountId, from: sourceOf(ctx), until: new Date(pausedUntil) });
}
