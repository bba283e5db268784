import { AppChallenge } from '../../oidc/apps/app-challenge.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { Duration } from '../../ticket/browsers/duration.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock, Signals } from '../../ticket/ports.ts';
import type { GrantApprover, SignInRequest } from '../../ticket/ticket.ts';
import { type AdmittedTicket, admitToTicket, type TicketAdmissionPorts } from '../phone/admission.ts';
import type { Decisions } from '../phone/decisions.ts';
import { readStay } from '../phone/stay.ts';
import { parseVersion } from '../streams/version.ts';
import type { ApiForm, ApiRequest } from './api-request.ts';
import { type AppTicket, type AppViews, requirementOf } from './app-view.ts';
import { type AppStreams, AppWatch } from './app-watch.ts';
import { type SentDecision, type SignedDecisionPorts, SignedDecisions } from './signed-decisions.ts';

export interface ApiTicketPorts extends TicketAdmissionPorts, Omit<SignedDecisionPorts, 'settings'> {
  readonly provider: Provider;
  readonly settings: TicketAdmissionPorts['settings'] &
    SignedDecisionPorts['settings'] & { readonly durations?: readonly Duration[] | undefined };
  readonly ceremony: { readonly phone: PhoneActs };
  readonly decisions: Decisions;
  readonly appViews: AppViews;
  readonly appStreams: AppStreams;
  readonly signals: Signals;
  readonly clock: Clock;
}

/**
 * The longest time that an app waits on a stream. The token is checked when a stream begins, so a revoked one shows
 * nothing of the ticket after this time.
 */
const LONGEST_STREAM_MS = 60_000;

/** The requests of an app for the ticket that it has scanned. */
export class ApiTicketHandlers {
  readonly #ports: ApiTicketPorts;
  readonly #signed: SignedDecisions;

  constructor(ports: ApiTicketPorts) {
    this.#ports = ports;
    this.#signed = new SignedDecisions(ports);
  }

  /**
   * `GET /qr/api/tickets/:id`: the ticket, for as long as it is kept, even after it has ended. The answer comes at
   * once, or with `?after=` when the ticket is newer than that version, or as a stream.
   */
  show = async (request: ApiRequest): Promise<void> => {
    const { ceremony, signals, appViews, appStreams } = this.#ports;
    const { ctx, endsAt } = request;
    const known = parseVersion('after', ctx.query.after);
    const admitted = await admitToTicket(this.#ports, request, { act: 'decide' });
    const ticket = ceremony.phone.assertOwned(admitted.known.ticket, admitted.approver);
    const viewer = await appViews.prepare(ctx, ticket, admitted);
    const isStream = ctx.accepts(['json', 'text/event-stream']) === 'text/event-stream';
    if (ctx.method === 'HEAD' || (known === undefined && !isStream)) {
      ctx.body = appViews.draw(ticket, viewer);
      return;
    }
    const longest = this.#ports.clock() + LONGEST_STREAM_MS;
    const watch = new AppWatch({ ceremony, signals }, viewer, ticket, Math.min(longest, endsAt, ticket.endsAt));
    if (isStream) await appStreams.streams.open(ctx, watch);
    else ctx.body = appViews.draw(await appStreams.longPolls.next(ctx, watch, known ?? 0), viewer);
  };

  /** `POST /qr/api/tickets/:id/decision`: approves, denies, reports, or gives up. */
  decide = async (form: ApiForm): Promise<void> => {
    const { decisions, appViews, settings } = this.#ports;
    const { ctx, ticket: before } = form;
    const { id = '' } = ctx.params;
    const decision = readDecision(form);
    const stay = readStay(settings.durations, decision);
    const admitted = await admitToTicket(this.#ports, form, decisions.purposeOf(form, decision.decision));
    const { approver, known } = admitted;
    if (known.ticket !== undefined) {
      const owned = this.#ports.ceremony.phone.assertOwned(known.ticket, approver);
      await this.#signed.record(form, owned, decision);
    }
    if (decision.decision === 'report') return this.#report(form, id, admitted);
    const ticket = await decisions
      .decide(ctx, id, admitted, { ...decision, duration: undefined, ...stay })
      .catch((error: unknown) => {
        throw asChallenge(error, before?.request);
      });
    ctx.body = await appViews.show(ctx, ticket, admitted);
  };

  /**
   * Reports the sign-in, and answers with the ticket. If the ticket is gone, the report ends the session that came from
   * it, and the answer has no body.
   */
  async #report(form: ApiForm, id: string, admitted: AdmittedTicket<GrantApprover>): Promise<void> {
    const { decisions, appViews } = this.#ports;
    const { ctx } = form;
    const { ticket } = await decisions.report(ctx, id, admitted);
    if (ticket === undefined) ctx.status = 204;
    else ctx.body = asReported(await appViews.show(ctx, ticket, admitted), id);
  }
}

/** @throws QrLoginError `invalid_request` */
function readDecision({ body }: ApiForm): SentDecision {
  const { decision, remember = false, duration, proof, match, signature, ...others } = body;
  const answer = typeof proof === 'object' && proof !== null ? JSON.stringify(proof) : proof;
  const isRight =
    typeof decision === 'string' &&
    typeof remember === 'boolean' &&
    isTextOrAbsent(duration) &&
    (answer === undefined || typeof answer === 'string') &&
    isTextOrAbsent(match) &&
    isTextOrAbsent(signature);
  if (isRight && Object.keys(others).length === 0)
    return { decision, remember, duration, proof: answer, match, signature };
  throw new QrLoginError(
    'invalid_request',
    'Send "decision", and where needed "remember" (true or false), "duration", "proof", "match" and "signature".',
  );
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** The refusals of an approval that a new sign-in of the app can mend. */
const MENDED_BY_SIGN_IN: Readonly<Record<string, 'freshness' | 'acr'>> = {
  sign_in_again: 'freshness',
  insufficient_acr: 'acr',
};

/** Turns such a refusal into a challenge that says which sign-in is needed (RFC 9470, section 3). */
function asChallenge(error: unknown, request: SignInRequest | undefined): unknown {
  if (!(error instanceof QrLoginError) || request === undefined) return error;
  const unmet = MENDED_BY_SIGN_IN[error.code];
  if (unmet === undefined) return error;
  const { maxAge, acrValues } = requirementOf(unmet, request);
  const parameters = {
    // Without `max_age`, a sign-in is too old only if it was itself a sign-in by QR.
    ...((maxAge !== undefined || unmet === 'freshness') && { max_age: `${maxAge ?? 0}` }),
    ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
  };
  return new AppChallenge('insufficient_user_authentication', error.message, { parameters, cause: error });
}

/** Returns the view after a report, for any state in which the ticket has ended. */
function asReported(view: AppTicket, id: string): AppTicket {
  const { expiresIn, requirement, challenge, numbers, checkCode, ...rest } = view;
  return { ...rest, id, state: 'denied', reason: 'report' };
}
