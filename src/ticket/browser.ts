import { type CeremonyPorts, change, type Outcome } from './change.ts';
import { isCheckCode, readCheckCode, WrongCheckCode } from './check-code.ts';
import { notFound, over, QrLoginError } from './errors.ts';
import { type Demand, refusal, unmetBy } from './requirements.ts';
import {
  type ApprovedTicket,
  type Authenticated,
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

/** A ticket has fewer steps than this; a store that refuses for longer does not do as it should. */
const MOST_TRIES = 20;

/** What a browser brings along to show a ticket. */
export interface Showing {
  readonly interaction: string;
  /** When the interaction ends, in milliseconds since the epoch. */
  readonly endsAt: number;
  readonly request: SignInRequest;
  readonly browser: Browser;
}

/** Which browser acts: its interaction and the fingerprint of its binding cookie. */
export interface BrowserIdentity {
  readonly interaction: string;
  readonly binding: string;
  /** The account that is signed in there at this moment. */
  readonly accountId?: string | undefined;
}

/** What the person at the browser says when it finishes. */
export interface Said {
  /** The six digits, as they were typed. */
  readonly checkCode?: string | undefined;
  /** That the account which is signed in there may be signed out. */
  readonly switchAccount?: boolean;
}

/** What is asked of an approved ticket before it is redeemed. */
export interface FinishChecks {
  /** Throws where whoever approved may not sign in (any more). */
  readonly account?: (ticket: ApprovedTicket) => Promise<void>;
  /** Throws where no check code may be tried now. */
  readonly tryCheckCode?: (ticket: ApprovedTicket) => Promise<void>;
}

/** A sign-in that needs no phone. */
export interface SigningInHere {
  readonly demand: Demand;
  readonly said: Said;
}

export interface Renewal extends Outcome {
  /** The ticket that this renewal ended. */
  readonly voided?: Ticket;
}

/** What the person at the browser does, one function for each act. */
export class BrowserActs {
  readonly #ports: CeremonyPorts;

  constructor(ports: CeremonyPorts) {
    this.#ports = ports;
  }

  /** The interaction's ticket as it stands, or a first one. One whose time has passed makes room for a new one. */
  show(showing: Showing): Promise<Renewal> {
    return this.#show(showing, (existing, now) => stateAt(existing, now) !== 'expired');
  }

  /** The interaction's ticket, for the browser that shows it; undefined where its time has passed and nothing is left. */
  async look({ interaction, binding }: BrowserIdentity): Promise<Ticket | undefined> {
    const ticket = await this.#ports.store.findByInteraction(interaction);
    if (ticket !== undefined) assertBrowser(ticket, binding);
    return ticket;
  }

  /**
   * A new ticket instead of the one that the browser has seen; whatever had happened to that one is void.
   * @param seen the version that the browser knows: a live ticket of another version is newer, and stays
   */
  renew(showing: Showing, seen?: number): Promise<Renewal> {
    return this.#show(showing, (existing, now) => {
      if (existing.state === 'redeemed') throw alreadyUsed();
      return wasReported(existing) || (isLive(existing, now) && isAnother(existing, seen));
    });
  }

  /**
   * Redeems an approved ticket, once; the same browser may ask again and gets the same answer.
   * A denied ticket is answered as such: it ends the interaction, too.
   * @param checks what throws leaves the ticket as it is
   */
  async finish(
    identity: BrowserIdentity,
    said: Said = {},
    checks: FinishChecks = {},
  ): Promise<Outcome<RedeemedTicket | DeniedTicket>> {
    const outcome = await change(
      this.#ports,
      () => this.look(identity),
      async (ticket, { lifetimes }) => {
        if (ticket.state === 'redeemed' || ticket.state === 'denied') return ticket;
        if (ticket.state === 'approved') await checks.account?.(ticket);
        if (isTry(ticket, said)) await checks.tryCheckCode?.(ticket);
        // The deployment may have taken its time to answer.
        const moment = { now: this.#ports.clock(), lifetimes };
        if (switchesAccount(ticket, identity.accountId) && !said.switchAccount) throw accountSwitch();
        if (this.#isCheckCodeWrong(ticket, said.checkCode, moment.now))
          return transitions.refuseCheckCode(ticket, moment);
        return transitions.redeem(ticket, moment);
      },
    );
    if (outcome === undefined) throw over();
    const { ticket, changed } = outcome;
    if (ticket.state === 'redeemed' || ticket.state === 'denied') return { ticket, changed };
    throw new WrongCheckCode(ticket);
  }

  /**
   * The person signs in at the browser itself, without a phone: the ticket has served, and is cancelled.
   * @param demand what is asked of whoever signs in, as it would be of an approver
   */
  async signInHere(
    identity: BrowserIdentity,
    who: Authenticated,
    { demand, said }: SigningInHere,
  ): Promise<Outcome | undefined> {
    const unmet = unmetBy(demand, who, this.#ports.clock());
    if (unmet !== undefined) throw refusal(unmet);
    const isAnother = identity.accountId !== undefined && identity.accountId !== who.accountId;
    if (isAnother && !said.switchAccount) throw accountSwitch();
    const outcome = await this.cancel(identity);
    if (outcome && wasReported(outcome.ticket)) throw over();
    return outcome;
  }

  /** Whether the phone has said that somebody else started this interaction's sign-in. */
  async isReported(interaction: string): Promise<boolean> {
    const ticket = await this.#ports.store.findByInteraction(interaction);
    return ticket !== undefined && wasReported(ticket);
  }

  /** Gives the sign-in up. A ticket that has ended already stays as it is. */
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

  /** The interaction's ticket, where it stays; else a new one. Where another tab was faster, its new one serves both. */
  async #show(showing: Showing, stays: (existing: Ticket, now: number) => boolean): Promise<Renewal> {
    const { clock, lifetimes } = this.#ports;
    const identity = { interaction: showing.interaction, binding: showing.browser.binding };
    let existing = await this.look(identity);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const moment = { now: clock(), lifetimes };
      if (existing !== undefined && stays(existing, moment.now)) return { ticket: existing, changed: false };
      const shown = await this.#place(showing, existing, moment);
      if (shown !== undefined) return shown;
      const newer = await this.look(identity);
      if (newer !== undefined && newer.id !== existing?.id && isLive(newer, clock())) {
        return { ticket: newer, changed: false };
      }
      existing = newer;
    }
    throw over();
  }

  /** A new ticket in the place of what is there, in one step; undefined where that has changed meanwhile. */
  async #place(
    showing: Showing,
    existing: Ticket | undefined,
    moment: transitions.Moment,
  ): Promise<Renewal | undefined> {
    const { store, shortCodes } = this.#ports;
    const ticket = transitions.show({ ...showing, id: newTicketId(showing.interaction) }, existing, moment);
    // First: what is on a screen can be typed.
    await shortCodes?.note(ticket.id, ticket.deadline - moment.now);
    if (existing === undefined) return (await store.create(ticket)) ? { ticket, changed: true } : undefined;
    const ended = transitions.replaced(existing, moment);
    if (!(await store.swap(existing, ticket, ended))) return undefined;
    return { ticket, changed: true, ...(ended && isLive(existing, moment.now) && { voided: ended }) };
  }

  #isCheckCodeWrong(ticket: Ticket, typed: string | undefined, now: number): boolean {
    if (ticket.state !== 'approved' || ticket.checkCode === undefined || !isLive(ticket, now)) return false;
    const checkCode = typed === undefined ? undefined : readCheckCode(typed);
    if (checkCode === undefined) {
      throw new QrLoginError('check_code_required', 'Type the six digits that the phone shows.');
    }
    return !isCheckCode(this.#ports.keys, ticket.id, checkCode);
  }
}

/** Whether six digits are tried on a ticket that takes them. */
function isTry(ticket: Ticket, { checkCode = '' }: Said): ticket is ApprovedTicket {
  return ticket.state === 'approved' && ticket.checkCode !== undefined && readCheckCode(checkCode) !== undefined;
}

/** Whether finishing would replace another account's session in this browser. */
export function switchesAccount(ticket: Ticket, accountId: string | undefined): boolean {
  return ticket.state === 'approved' && accountId !== undefined && accountId !== ticket.approver.accountId;
}

function accountSwitch(): QrLoginError {
  return new QrLoginError('account_switch', 'Another account is signed in here. Agree to sign it out, or cancel.');
}

function isAnother(ticket: Ticket, seen: number | undefined): boolean {
  return seen !== undefined && ticket.version !== seen;
}

function alreadyUsed(): QrLoginError {
  return new QrLoginError('wrong_state', 'This sign-in has been approved and used already.');
}

function assertBrowser(ticket: Ticket, binding: string): void {
  if (ticket.browser.binding !== binding) throw notFound();
}
