import type { Context } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { EnrolledBy } from '../../ticket/browsers/enrolment.ts';
import type { KnownBrowser } from '../../ticket/browsers/known-browser.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import { sourceOf } from '../request/client-info.ts';

/** Emitted on the provider when an account enrols a browser, or when an enrolment ends. */
export interface EnrolmentEvent {
  readonly accountId: string;
  /** The proof by which the browser was enrolled. */
  readonly by: EnrolledBy;
  /** The network address of the request; absent if the deployment has enrolled the browser. */
  readonly from?: string;
  /** The claimed name and system of the browser. */
  readonly browser: { readonly name?: string; readonly system?: string };
  /** If an action enrolled the browser: the name of the action's ticket, the same as in the events of that ticket. */
  readonly ticket?: string;
}

/** The part of an enrolment that its event reports. */
interface EnrolmentFacts {
  readonly accountId: string;
  readonly by: EnrolledBy;
  readonly name?: string | undefined;
  readonly system?: string | undefined;
  readonly ticketId?: string | undefined;
}

/** Announces that an account has enrolled a browser. */
export function announceEnrolled(provider: Provider, ctx: Context | undefined, facts: EnrolmentFacts): void {
  callListener(() => provider.emit('qr_login.enrolled', ctx, describe(ctx, facts)));
}

/** Announces each enrolment among the browsers that have left the list of an account. */
export function announceUnenrolled(
  provider: Provider,
  ctx: Context | undefined,
  accountId: string,
  gone: readonly KnownBrowser[],
): void {
  for (const { enrolledBy: by, name, system } of gone) {
    if (by !== undefined)
      callListener(() => provider.emit('qr_login.unenrolled', ctx, describe(ctx, { accountId, by, name, system })));
  }
}

function describe(ctx: Context | undefined, { accountId, by, name, system, ticketId }: EnrolmentFacts): EnrolmentEvent {
  return {
    accountId,
    by,
    ...(ctx && { from: sourceOf(ctx) }),
    browser: { ...(name !== undefined && { name }), ...(system !== undefined && { system }) },
    ...(ticketId !== undefined && { ticket: traceOf(ticketId) }),
  };
}
