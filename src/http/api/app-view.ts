import type { Context } from 'koa';
import type { Duration } from '../../ticket/browsers/duration.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock } from '../../ticket/ports.ts';
import {
  type CancelledTicket,
  type DeniedTicket,
  isLive,
  isOwner,
  isSignIn,
  type Place,
  type Requirements,
  type SignInRequest,
  stateAt,
  type Ticket,
  type UnmetRequirement,
} from '../../ticket/ticket.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { Challenge } from '../hooks/approve-guard.ts';
import type { Translate } from '../hooks/translate.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import type { AdmittedTicket } from '../phone/admission.ts';
import type { Approvals } from '../phone/approval.ts';
import type { Decisions } from '../phone/decisions.ts';
import { toSeconds } from '../request/responses.ts';
import { type ShownTicket, versionAt } from '../ticket-view/browser-view.ts';

/** A scope or a claim, with its text in the language of the app if there is one. */
interface NamedText {
  readonly name: string;
  readonly text?: string;
}

/** The sign-in that an app needs before it can approve. */
export interface AppRequirement {
  /**
   * `account`: only another account can approve. `freshness`, `local` and `acr` are met by a new authorization request
   * of the app: the first two by a new sign-in, `acr` by one of the classes in `acrValues`. `enrolled`: nothing that
   * the app does helps, because the browser is not enrolled.
   */
  readonly kind: UnmetRequirement;
  /** The highest age of the sign-in, in seconds: the `max_age` of the authorization request. */
  readonly maxAge?: number;
  /** The demanded authentication context classes: the `acr_values` of the authorization request. */
  readonly acrValues?: readonly string[];
  /** The expected account: the `login_hint` of the authorization request. */
  readonly loginHint?: string;
}

/** The part of a ticket that stays the same as long as an app looks at it. */
interface FixedPart {
  /** Present if the request is for an action and not for a sign-in. */
  readonly action?: { readonly title: string; readonly details: string };
  /** Present if the client asks without a browser, with the message that the client shows, too, if it has sent one. */
  readonly backchannel?: { readonly bindingMessage?: string };
  readonly client: SignInRequest['client'];
  readonly browser: { readonly name?: string; readonly system?: string; readonly place?: Place };
  readonly scopes: readonly NamedText[];
  /** The claims that Approve grants besides the scopes, if the phone gives consent. */
  readonly claims: readonly NamedText[];
  readonly resources: readonly { readonly id: string; readonly scopes: readonly NamedText[] }[];
  /** True if Approve also grants what is listed. */
  readonly consent: boolean;
  readonly account: { readonly name: string };
}

export type AppState = 'scanned' | 'approved' | 'denied' | 'finished' | 'cancelled' | 'expired';

/** The ticket as the app that scanned it sees it. */
export interface AppTicket extends FixedPart {
  readonly id: string;
  /** Grows with each change; 0 if the ticket is gone. */
  readonly version: number;
  readonly state: AppState;
  /** The reason for the denial or the cancellation. */
  readonly reason?: DeniedTicket['because'] | 'renewed' | 'browser' | 'requester' | 'check-code';
  /** Seconds until this state ends by itself; absent if it does not. */
  readonly expiresIn?: number;
  /** Seconds since the code was first shown. */
  readonly shownAgo: number;
  /** Present if the app may not approve yet. */
  readonly requirement?: AppRequirement;
  /** The challenge of the deployment's guard, to be answered with the approval. */
  readonly challenge?: Challenge;
  /** The durations from which the user chooses before Approve. */
  readonly durations?: readonly Duration[];
  /** Three numbers. The user taps the one that the browser shows, and the app sends it with the approval. */
  readonly numbers?: readonly string[];
  /** The six digits to type at the browser. */
  readonly checkCode?: string;
}

/** An app that looks at a ticket, and the data that was read for it when it began to look. */
export interface AppViewer extends AdmittedTicket {
  readonly id: string;
  readonly fixed: FixedPart;
  readonly shownAt: number;
  readonly challenge: Challenge | undefined;
  /** True if the account may be used in enrolled browsers only, and the browser is not enrolled. */
  readonly isEnrolmentMissing: boolean;
  /** True if the account has reported the sign-in after the browser had finished it. */
  readonly isTakenBack: boolean;
}

export interface AppViewPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'checkCode' | 'numbers' | 'unmet'> };
  readonly approvals: Approvals;
  readonly enrolments: Pick<Enrolments, 'isMissing'>;
  readonly decisions: Pick<Decisions, 'isTakenBack'>;
  readonly clock: Clock;
  readonly renderer: Pick<PageRenderer, 'languageOf'>;
  readonly settings: { readonly durations?: readonly Duration[] | undefined };
}

/** Draws tickets for apps. */
export class AppViews {
  readonly #ports: AppViewPorts;

  constructor(ports: AppViewPorts) {
    this.#ports = ports;
  }

  /** Reads what the app is shown besides the ticket. */
  async prepare(ctx: Context, ticket: Ticket, admitted: AdmittedTicket): Promise<AppViewer> {
    const { ceremony, approvals, decisions, enrolments, renderer } = this.#ports;
    const { approver, account } = admitted;
    const isEnrolmentMissing = await enrolments.isMissing(ticket, approver);
    const isUnmet = isEnrolmentMissing || ceremony.phone.unmet(ticket, approver) !== undefined;
    const [challenge, isTakenBack] = await Promise.all([
      isUnmet ? undefined : approvals.challenge(ticket, approver),
      decisions.isTakenBack(ticket, approver),
    ]);
    const { t } = renderer.languageOf(ctx, ticket.request.locales);
    ctx.vary('Accept-Language');
    const { id, shownAt } = ticket;
    return {
      ...admitted,
      id,
      shownAt,
      fixed: describe(ticket, account, t),
      challenge,
      isEnrolmentMissing,
      isTakenBack,
    };
  }

  /** Returns the ticket as it is now. If the app does not own it any more, its state is `expired`. */
  draw(ticket: Ticket | undefined, viewer: AppViewer): AppTicket {
    const now = this.#ports.clock();
    const isMine = ticket !== undefined && ticket.id === viewer.id && isOwner(ticket, viewer.approver);
    const { id, fixed, shownAt } = viewer;
    const shownAgo = Math.floor(toSeconds(now - shownAt));
    if (!isMine) return { id, version: 0, state: 'expired', shownAgo, ...fixed };
    return { id, version: versionAt(ticket, now), ...this.#describeState(ticket, now, viewer), shownAgo, ...fixed };
  }

  /** Returns the view of a ticket whose state has ended by itself. */
  drawExpired(shown: ShownTicket, now: number, { id, fixed, shownAt }: AppViewer): AppTicket {
    const shownAgo = Math.floor(toSeconds(now - shownAt));
    return { id, version: versionAt(shown, now), state: 'expired', shownAgo, ...fixed };
  }

  /** Prepares and draws the ticket, for an answer after an act of the app. */
  async show(ctx: Context, ticket: Ticket, admitted: AdmittedTicket): Promise<AppTicket> {
    return this.draw(ticket, await this.prepare(ctx, ticket, admitted));
  }

  #describeState(ticket: Ticket, now: number, viewer: AppViewer): StatePart {
    const { approver, challenge, isTakenBack } = viewer;
    const state = stateAt(ticket, now);
    if (isTakenBack && state === 'redeemed') return { state: 'denied', reason: 'report' };
    if (state === 'redeemed') return { state: 'finished' };
    // A waiting ticket has no owner.
    if (state === 'expired' || state === 'waiting') return { state: 'expired' };
    if (ticket.state === 'denied') return { state: ticket.state, reason: ticket.because };
    if (ticket.state === 'cancelled') return { state: ticket.state, reason: REASONS[ticket.because] };
    const { ceremony, settings } = this.#ports;
    const { phone } = ceremony;
    const { durations } = settings;
    const unmet = this.#findUnmet(ticket, viewer);
    const checkCode = phone.checkCode(ticket, approver);
    const numbers = unmet === undefined ? phone.numbers(ticket, approver) : undefined;
    return {
      state: ticket.state === 'scanned' ? 'scanned' : 'approved',
      ...(isLive(ticket, now) && { expiresIn: toSeconds(ticket.deadline - now) }),
      ...(unmet !== undefined && { requirement: requirementOf(unmet, ticket.request) }),
      ...(unmet === undefined && ticket.state === 'scanned' && challenge !== undefined && { challenge }),
      ...(ticket.state === 'scanned' && isSignIn(ticket.request) && durations && { durations }),
      ...(numbers !== undefined && { numbers }),
      ...(checkCode !== undefined && { checkCode }),
    };
  }

  #findUnmet(ticket: Ticket, { approver, isEnrolmentMissing }: AppViewer): UnmetRequirement | undefined {
    const isMissing = isEnrolmentMissing && ticket.state === 'scanned';
    return this.#ports.ceremony.phone.unmet(ticket, approver) ?? (isMissing ? 'enrolled' : undefined);
  }
}

type StatePart = Pick<
  AppTicket,
  'state' | 'reason' | 'expiresIn' | 'requirement' | 'challenge' | 'durations' | 'numbers' | 'checkCode'
>;

const REASONS: Readonly<Record<CancelledTicket['because'], NonNullable<AppTicket['reason']>>> = {
  renewed: 'renewed',
  browser: 'browser',
  requester: 'requester',
  'check code': 'check-code',
};

/** Returns the authorization request by which an app can meet a requirement (RFC 9470, section 4). */
export function requirementOf(unmet: UnmetRequirement, { requirements, loginHint }: SignInRequest): AppRequirement {
  const { essentialAcr } = requirements;
  const maxAge = maxAgeOf(unmet, requirements);
  return {
    kind: unmet,
    ...(maxAge !== undefined && { maxAge }),
    ...(essentialAcr !== undefined && { acrValues: essentialAcr }),
    ...(unmet === 'account' && loginHint !== undefined && { loginHint }),
  };
}

function maxAgeOf(unmet: UnmetRequirement, { reauthenticate, maxAge }: Requirements): number | undefined {
  // After a sign-in by QR, only a new sign-in on the device itself helps.
  return reauthenticate || unmet === 'local' ? 0 : maxAge;
}

/** Returns the browser as the API describes it. */
export function describeBrowser({ browser }: Ticket): FixedPart['browser'] {
  const { name, system, place } = browser;
  return {
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
  };
}

/** Returns the texts of an action; undefined for a sign-in. */
export function describeAction({ request }: Ticket): FixedPart['action'] {
  const { action } = request;
  return action && { title: action.title, details: action.details };
}

/** Returns the message of a request without a browser, as the API describes it; undefined for another ticket. */
export function describeBackchannel({ request }: Ticket): FixedPart['backchannel'] {
  const { backchannel } = request;
  if (backchannel === undefined) return undefined;
  return backchannel.message === undefined ? {} : { bindingMessage: backchannel.message };
}

function describe(ticket: Ticket, account: string, t: Translate): FixedPart {
  const { client, scopes, consent } = ticket.request;
  const action = describeAction(ticket);
  const backchannel = describeBackchannel(ticket);
  const named = (kind: 'scope' | 'claim', names: readonly string[]): NamedText[] =>
    names.map((one) => nameWithText(one, t(`${kind}.${one}`)));
  const resources = Object.entries(consent?.listed ? consent.resources : {});
  return {
    ...(action !== undefined && { action }),
    ...(backchannel !== undefined && { backchannel }),
    client,
    browser: describeBrowser(ticket),
    scopes: named('scope', scopes),
    claims: named('claim', consent?.listed ? consent.claims : []),
    resources: resources.map(([id, granted]) => ({ id, scopes: named('scope', granted) })),
    consent: consent?.listed === true,
    account: { name: account },
  };
}

/** Leaves the text out if it is only the name: a scope or claim without a text is translated to its own name. */
function nameWithText(name: string, text: string): NamedText {
  return text === name ? { name } : { name, text };
}
