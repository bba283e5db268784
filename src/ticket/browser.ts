import { type CeremonyPorts, change, type Outcome } from './change.ts';
import { isCheckCode, readCheckCode, WrongCheckCode } from './codes/check-code.ts';
import { notFound, over, QrLoginError } from './errors.ts';
import { isFreshEnough, type RequirementContext, refusal, unmetBy } from './requirements.ts';
import {
  type ApprovedTicket,
  type AuthenticatedUser,
  type Browser,
  type DeniedTicket,
  isLive,
  type RedeemedTicket,
  type SignInRequest,
  stateAt,
  type Ticket,
  wasReported,
} from './ticket.ts';
import { newTicketId } from './ticket-id.ts';
import * as transitions from './transitions.ts';

/** The most attempts to write a ticket. A ticket changes fewer times, so a store that refuses them all is faulty. */
const MAX_SWAP_ATTEMPTS = 20;

/** The data of a browser's request that shows a ticket. */
export interface ShowInput {
  readonly interaction: string;
  /** The end of the interaction, in milliseconds since the epoch. */
  readonly endsAt: number;
  readonly request: SignInRequest;
  readonly browser: Browser;
}

/** The browser that acts, named by its interaction and the fingerprint of its binding cookie. */
export interface BrowserIdentity {
  readonly interaction: string;
  readonly binding: string;
  /** The account that is signed in to the browser at this moment. */
  readonly accountId?: string | undefined;
}

/** The user's input when the browser finishes the sign-in. */
export interface FinishInput {
  /** The six digits as the user typed them. */
  readonly checkCode?: string | undefined;
  /** True if the user agrees to sign out the account that is signed in to the browser. */
  readonly switchAccount?: boolean;
}

/** Checks that an approved ticket must pass before it is redeemed. */
export interface FinishChecks {
  /** Throws if the account that approved may not sign in (any more). */
  readonly account?: (ticket: ApprovedTicket) => Promise<void>;
  /**
   * Returns true if the evidence because of which Approve demanded no check code still holds: the account knows the
   * browser, or its network address is the one at which it showed the code.
   */
  readonly evidence?: (ticket: ApprovedTicket) => Promise<boolean>;
  /** Throws if no check code may be tried now. */
  readonly tryCheckCode?: (ticket: ApprovedTicket) => Promise<void>;
}

/** A sign-in at the browser itself, which needs no phone. */
export interface LocalSignInInput {
  readonly demand: RequirementContext;
  readonly input: FinishInput;
}

export interface Renewal extends Outcome {
  /** The ticket that this renewal ended. */
  readonly voided?: Ticket;
}

/** The acts of the user at the browser, one function for each. */
export class BrowserActs {
  readonly #ports: CeremonyPorts;

  constructor(ports: CeremonyPorts) {
    this.#ports = ports;
  }

  /** Returns the interaction's current ticket. Creates a new one if there is none or if it has expired. */
  show(input: ShowInput): Promise<Renewal> {
    return this.#show(input, (existing, now) => stateAt(existing, now) !== 'expired');
  }

  /**
   * Returns the interaction's ticket to the browser that shows it, or undefined if the store has none (any more).
   * @throws QrLoginError `not_found` if the ticket belongs to another browser
   */
  async look({ interaction, binding }: BrowserIdentity): Promise<Ticket | undefined> {
    const ticket = await this.#ports.store.findByInteraction(interaction);
    if (ticket !== undefined) assertBrowser(ticket, binding);
    return ticket;
  }

  /**
   * Replaces the ticket on the browser's screen with a new one. A scan or an approval of the old ticket becomes void.
   * @param knownVersion the version that the browser knows: a live ticket of another version is newer, and stays
   */
  renew(input: ShowInput, knownVersion?: number): Promise<Renewal> {
    return this.#show(input, (existing, now) => {
      if (existing.state === 'redeemed') throw alreadyUsed();
      return wasReported(existing) || (isLive(existing, now) && hasOtherVersion(existing, knownVersion));
    });
  }

  /**
   * Redeems an approved ticket once. If the same browser asks again, it gets the same answer.
   * A denied ticket is returned as it is, because it ends the interaction, too.
   * @param checks if one of them throws, the ticket stays as it is
   * @throws QrLoginError `check_code_required`, also if the ticket demands it only now
   */
  async finish(
    identity: BrowserIdentity,
    input: FinishInput = {},
    checks: FinishChecks = {},
  ): Promise<Outcome<RedeemedTicket | DeniedTicket>> {
    const outcome = await change(
      this.#ports,
      () => this.look(identity),
      async (ticket, { lifetimes }) => {
        if (ticket.state === 'redeemed' || ticket.state === 'denied') return ticket;
        const hasEvidence = ticket.state !== 'approved' || (await passChecks(ticket, input, checks));
        // Read the clock again, because the deployment's checks may have taken long.
        const moment = { now: this.#ports.clock(), lifetimes };
        if (isOutdated(ticket, moment.now)) return transitions.outdate(ticket, moment);
        if (!hasEvidence) return transitions.demandCheckCode(ticket, moment);
        if (switchesAccount(ticket, identity.accountId) && !input.switchAccount)
          throw accountSwitch(identity.accountId);
        if (this.#isCheckCodeWrong(ticket, input.checkCode, moment.now))
          return transitions.refuseCheckCode(ticket, moment);
        return transitions.redeem(ticket, moment);
      },
    );
    if (outcome === undefined) throw over();
    const { ticket, changed } = outcome;
    if (ticket.state === 'redeemed' || ticket.state === 'denied') return { ticket, changed };
    if (ticket.state === 'approved' && ticket.checkCode?.wrongTries === 0) throw checkCodeRequired();
    throw new WrongCheckCode(ticket);
  }

  /**
   * Checks a sign-in at the browser itself, without a phone, and cancels the ticket, which is not needed any more.
   * @param demand the requirements for this sign-in, the same as for an approver
   */
  async signInHere(
    identity: BrowserIdentity,
    user: AuthenticatedUser,
    { demand, input }: LocalSignInInput,
  ): Promise<Outcome | undefined> {
    const unmet = unmetBy(demand, user, this.#ports.clock());
    if (unmet !== undefined) throw refusal(unmet);
    const isOtherAccount = identity.accountId !== undefined && identity.accountId !== user.accountId;
    if (isOtherAccount && !input.switchAccount) throw accountSwitch(identity.accountId);
    const outcome = await this.cancel(identity);
    if (outcome && wasReported(outcome.ticket)) throw over();
    return outcome;
  }

  /** Returns true if the phone has reported that its user did not start this interaction's sign-in. */
  async isReported(interaction: string): Promise<boolean> {
    const ticket = await this.#ports.store.findByInteraction(interaction);
    return ticket !== undefined && wasReported(ticket);
  }

  /** Cancels the sign-in. A ticket that has ended already stays as it is. */
  async cancel(identity: BrowserIdentity): Promise<Outcome | undefined> {
    return change(
      this.#ports,
      () => this.look(identity),
      (ticket, moment) => {
        if (ticket.state === 'redeemed') throw alreadyUsed();
        return isLive(ticket, moment.now) ? transitions.cancel(ticket, 'browser', moment) : ticket;
      },
    );
  }

  /**
   * Returns the interaction's ticket if it stays, otherwise a new one. If another tab has created a new one meanwhile,
   * both tabs show that one.
   */
  async #show(input: ShowInput, stays: (existing: Ticket, now: number) => boolean): Promise<Renewal> {
    const { clock, lifetimes } = this.#ports;
    const identity = { interaction: input.interaction, binding: input.browser.binding };
    let existing = await this.look(identity);
    for (let tries = 0; tries < MAX_SWAP_ATTEMPTS; tries++) {
      const moment = { now: clock(), lifetimes };
      if (existing !== undefined && stays(existing, moment.now)) return { ticket: existing, changed: false };
      const shown = await this.#place(input, existing, moment);
      if (shown !== undefined) return shown;
      const newer = await this.look(identity);
      if (newer !== undefined && newer.id !== existing?.id && isLive(newer, clock())) {
        return { ticket: newer, changed: false };
      }
      existing = newer;
    }
    throw over();
  }

  /**
   * Replaces the existing ticket by a new one in one step. Returns undefined if the existing one has changed meanwhile.
   */
  async #place(
    input: ShowInput,
    existing: Ticket | undefined,
    moment: transitions.Moment,
  ): Promise<Renewal | undefined> {
    const { store, shortCodes } = this.#ports;
    const ticket = transitions.show({ ...input, id: newTicketId(input.interaction) }, existing, moment);
    // Write the short code's note before the ticket, so that the short code works as soon as it is on a screen.
    await shortCodes?.note(ticket.id, ticket.deadline - moment.now);
    if (existing === undefined) return (await store.create(ticket)) ? { ticket, changed: true } : undefined;
    const ended = transitions.endReplaced(existing, moment);
    if (!(await store.swap(existing, ticket, ended))) return undefined;
    return { ticket, changed: true, ...(ended && isLive(existing, moment.now) && { voided: ended }) };
  }

  #isCheckCodeWrong(ticket: Ticket, typed: string | undefined, now: number): boolean {
    if (ticket.state !== 'approved' || ticket.checkCode === undefined || !isLive(ticket, now)) return false;
    const checkCode = typed === undefined ? undefined : readCheckCode(typed);
    if (checkCode === undefined) throw checkCodeRequired();
    return !isCheckCode(this.#ports.keys, ticket.id, checkCode);
  }
}

/** Returns true if the user typed six digits and the ticket requires a check code. */
function isCheckCodeAttempt(ticket: ApprovedTicket, { checkCode = '' }: FinishInput): boolean {
  return ticket.checkCode !== undefined && readCheckCode(checkCode) !== undefined;
}

/**
 * Runs the checks that an approved ticket must pass.
 * @returns false if the evidence because of which Approve demanded no check code does not hold any more
 */
async function passChecks(ticket: ApprovedTicket, input: FinishInput, checks: FinishChecks): Promise<boolean> {
  const trying = isCheckCodeAttempt(ticket, input) ? checks.tryCheckCode?.(ticket) : undefined;
  // Mark the promise as handled: if the account may not sign in, this rejection must not become an unhandled one.
  trying?.catch(() => undefined);
  await checks.account?.(ticket);
  await trying;
  return ticket.checkCode !== undefined || (await checks.evidence?.(ticket)) !== false;
}

function checkCodeRequired(): QrLoginError {
  return new QrLoginError('check_code_required', 'Type the six digits that the phone shows.');
}

/**
 * Returns true if the browser's user must agree to the account: finishing would replace another account's session, or
 * another account was last signed in by QR. Otherwise an onlooker could scan first, and sign the browser in to the
 * onlooker's own account unnoticed.
 * @param accountId the account that is signed in to the browser now
 */
export function switchesAccount(ticket: Ticket, accountId: string | undefined): boolean {
  if (ticket.state !== 'approved') return false;
  return accountId === undefined ? ticket.changesAccount === true : accountId !== ticket.approver.accountId;
}

/** Returns true if the phone's sign-in was fresh enough when it approved, and is not any more. */
function isOutdated(ticket: Ticket, now: number): boolean {
  return (
    ticket.state === 'approved' &&
    isLive(ticket, now) &&
    !isFreshEnough(ticket.request.requirements, ticket.approver, now)
  );
}

function accountSwitch(accountId: string | undefined): QrLoginError {
  if (accountId === undefined)
    return new QrLoginError('account_switch', 'Another account was used here before. Agree to the change, or cancel.');
  return new QrLoginError('account_switch', 'Another account is signed in here. Agree to sign it out, or cancel.');
}

function hasOtherVersion(ticket: Ticket, knownVersion: number | undefined): boolean {
  return knownVersion !== undefined && ticket.version !== knownVersion;
}

function alreadyUsed(): QrLoginError {
  return new QrLoginError('wrong_state', 'This sign-in has been approved and used already.');
}

function assertBrowser(ticket: Ticket, binding: string): void {
  if (ticket.browser.binding !== binding) throw notFound();
}
