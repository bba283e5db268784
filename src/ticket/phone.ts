import type { BrowserKey } from './browsers/browser-key.ts';
import { findKnownBrowser, knownBy } from './browsers/known-browser.ts';
import { hadOtherAccount } from './browsers/last-account.ts';
import { type CeremonyPorts, change, type Outcome } from './change.ts';
import { checkCodeOf } from './codes/check-code.ts';
import { isOfferedNumber, isShownNumber, matchNumbersOf, WrongNumber } from './codes/match-number.ts';
import { DecidedOtherwise, notFound, QrLoginError } from './errors.ts';
import { isRepeated, type RepeatableAct } from './repeats.ts';
import { applyReport, denyIfReported, isReported, noteReport, reportedOriginOf } from './reports.ts';
import { markIfForTicket, refusal, unmetBy } from './requirements.ts';
import type { Judge, Verdict } from './risk.ts';
import {
  type ApprovedTicket,
  type Approver,
  type DeniedTicket,
  isLive,
  isOwner,
  isSignIn,
  type KnownBy,
  ownerOf,
  type PhoneDevice,
  type RedeemedTicket,
  type ScannedTicket,
  stateAt,
  type Ticket,
  type UnmetRequirement,
} from './ticket.ts';
import { newTicketId } from './ticket-id.ts';
import * as transitions from './transitions.ts';

const ALLOW: Judge = () => 'allow';
const SEND_MATCH = 'Send "match": the one of the three "numbers" that the browser shows, as the user has tapped it.';

/** Data that the caller read before an act. The act reads it again only if the ticket has changed since. */
export interface KnownTicket {
  readonly ticket: Ticket | undefined;
  /** True if this account has reported the network address that the browser's requests come from. */
  readonly isReported?: Promise<boolean> | undefined;
}

export interface ScanInput {
  readonly judge?: Judge;
  readonly known?: KnownTicket;
  /** True if the user typed the short code instead of scanning. */
  readonly typed?: boolean;
  /** The phone that scans, for the browser's page. */
  readonly phone?: PhoneDevice | undefined;
}

/**
 * Returns the key of the browser that shows a ticket, if the approver's account may be used in enrolled browsers only;
 * `false` if this browser is none of them; undefined if the account may be used anywhere.
 */
export type FindEnrolledKey = (ticket: Ticket, approver: Approver) => Promise<BrowserKey | false | undefined>;

export interface ApprovalInput
  extends Omit<transitions.Approval, 'checkCode' | 'changesAccount' | 'knownBy' | 'enrolledKey'> {
  readonly judge?: Judge;
  readonly findEnrolledKey?: FindEnrolledKey;
  /**
   * True if the browser of this request also shows the action, so there is no other screen that could be the wrong
   * one. Default: false.
   */
  readonly isSameDevice?: boolean;
  /** The number that the approver has tapped. */
  readonly match?: string | undefined;
}

/** The verdict about a sign-in, and the evidence by which the account knew the browser at that moment. */
interface Judgement {
  readonly verdict: Verdict;
  readonly knownBy: KnownBy | undefined;
}

/** A ticket that its approver has decided. */
export type DecidedTicket = ApprovedTicket | DeniedTicket | RedeemedTicket;

/**
 * The acts of the user with the phone, one function for each. An act that the same approver repeats gets the ticket as
 * it is, and changes nothing. An act that contradicts the decision throws `DecidedOtherwise`.
 */
export class PhoneActs {
  readonly #ports: CeremonyPorts;

  constructor(ports: CeremonyPorts) {
    this.#ports = ports;
  }

  /** Returns the ticket id in a code, or undefined if the text is not a code at all. */
  idOf(code: string): string | undefined {
    return this.#ports.codes.idOf(code);
  }

  /**
   * Returns the id of the ticket that this code belongs to. `isOnScreen` is true if the code was on the screen just
   * now.
   * @throws QrLoginError `not_found` if the text is not a code at all
   */
  read(code: string): { id: string; isOnScreen: boolean } {
    const id = this.idOf(code);
    if (id === undefined) throw notFound();
    return { id, isOnScreen: this.#ports.codes.isFresh(code, this.#ports.clock()) };
  }

  /**
   * Returns the ticket that this short code was shown for, unless it has ended before an approver claimed it.
   * @throws QrLoginError `not_found` if there is none. An unknown short code takes as long to look up as a known one.
   */
  async findTyped(shortCode: string): Promise<Ticket> {
    const { shortCodes, store, clock } = this.#ports;
    const id = await shortCodes?.find(shortCode);
    const ticket = await store.find(id ?? newTicketId(''));
    if (ticket === undefined || (ownerOf(ticket) === undefined && !isLive(ticket, clock()))) throw notFound();
    return ticket;
  }

  /**
   * Returns the ticket without checking an owner, so that its requirements are known before there is an approver. The
   * acts take it as `known`, and read it again only if it has changed since.
   */
  preview(id: string): Promise<Ticket | undefined> {
    return this.#ports.store.find(id);
  }

  /** Returns true if this account has reported the origin of the ticket within the last hour. */
  async isReported(ticket: Ticket | undefined, approver: Pick<Approver, 'accountId'> | undefined): Promise<boolean> {
    if (ticket === undefined || approver === undefined) return false;
    return isReported(this.#ports, approver.accountId, reportedOriginOf(ticket));
  }

  /**
   * Returns true if this approver has done the act on this ticket before, and its result still stands. Such a request
   * is answered, but does not count as a new one.
   */
  isRepeated(ticket: Ticket | undefined, approver: Approver | undefined, act: RepeatableAct): boolean {
    if (ticket === undefined || approver === undefined) return false;
    return isRepeated(ticket, approver, act, this.#ports.clock());
  }

  /**
   * Notes that a phone without a session has opened the ticket's code: the browser then shows that the phone is signing
   * in, and the ticket waits longer. Changes nothing if the ticket does not wait, or if a phone has opened it before.
   * @param known the ticket as the caller has just read it
   */
  async awaitSignIn(known: Ticket): Promise<void> {
    const { shortCodes, store, clock } = this.#ports;
    let unread: Ticket | undefined = known;
    const read = async (): Promise<Ticket | undefined> => {
      const ticket = unread ?? (await store.find(known.id));
      unread = undefined;
      return ticket;
    };
    const outcome = await change(this.#ports, read, (ticket, moment) =>
      stateAt(ticket, moment.now) === 'waiting' ? transitions.awaitSignIn(ticket, moment) : ticket,
    );
    // Prolong the short code's note, so that the short code works for as long as the ticket waits. Do so on a repeat,
    // too, because the first try may have failed here.
    if (outcome?.ticket.state === 'waiting' && outcome.ticket.signingIn)
      await shortCodes?.note(known.id, outcome.ticket.deadline - clock());
  }

  /** Claims the ticket for this approver, who may scan it again. If the verdict is `deny`, the ticket ends at once. */
  async scan(
    id: string,
    approver: Approver,
    { judge = ALLOW, known, typed = false, phone }: ScanInput = {},
  ): Promise<Outcome<ScannedTicket | DecidedTicket>> {
    const claim = typed ? transitions.scanTyped : transitions.scan;
    return this.#change(id, known?.ticket, async (ticket, moment) => {
      const { lifetimes } = moment;
      if (isRepeated(ticket, approver, 'scan', moment.now)) return ticket;
      const claimed = claim(ticket, approver, moment, phone);
      const judged = this.#judge(judge, claimed, approver);
      const { verdict } = await denyIfReported(judged, this.#findReport(ticket, approver, known));
      // Read the clock again, because the deployment's judgement may have taken long.
      const later = { now: this.#ports.clock(), lifetimes };
      const scanned = claim(ticket, approver, later, phone);
      if (verdict === 'blocked') return transitions.block(scanned, approver, later);
      if (isDenied(verdict, ticket)) return transitions.forbid(scanned, approver, later);
      // A typed short code does not show that the phone is near the screen, and a tap on one of three numbers shows
      // little of it. An action is important enough to require the digits.
      const mayMatch = !typed && isSignIn(ticket.request);
      const isMatched = verdict === 'check code' && mayMatch && this.#ports.checkCodeEntry === 'tap';
      return isMatched ? { ...scanned, match: true } : scanned;
    });
  }

  /** Returns the current ticket to the approver who scanned it. */
  async look(id: string, approver: Approver, known?: Ticket): Promise<Ticket> {
    const ticket = known ?? (await this.#ports.store.find(id));
    if (ticket === undefined) throw notFound();
    const now = this.#ports.clock();
    transitions.assertOwner(ticket, approver, now);
    if (ticket.state === 'cancelled' || stateAt(ticket, now) === 'expired') throw transitions.endedError(ticket, now);
    return ticket;
  }

  /**
   * Returns the ticket to the approver who scanned it, also after it has ended.
   * @throws QrLoginError `not_found`; another device of the same account is told what has happened
   */
  assertOwned(ticket: Ticket | undefined, approver: Approver): Ticket {
    if (ticket === undefined) throw notFound();
    transitions.assertOwner(ticket, approver, this.#ports.clock());
    return ticket;
  }

  /**
   * Approves the ticket.
   * @throws WrongNumber if the approver has tapped another number than the browser shows, which ends the ticket
   */
  async approve(
    id: string,
    { judge = ALLOW, match, isSameDevice = false, findEnrolledKey, ...approval }: ApprovalInput,
    known?: KnownTicket,
  ): Promise<Outcome<DecidedTicket>> {
    const { ticket: decided, changed } = await this.#change(id, known?.ticket, async (ticket, { now, lifetimes }) => {
      const { approver } = approval;
      if (isRepeated(ticket, approver, 'approve', now)) return this.#assertSamePick(ticket, match);
      const scanned = transitions.requireDecidable(ticket, approver, now);
      if (this.#isPickWrong(scanned, match)) return transitions.cancel(scanned, 'check code', { now, lifetimes });
      const enrolledKey = await findEnrolledKey?.(ticket, approver);
      const judged = this.#judge(judge, scanned, approver, enrolledKey || undefined);
      const { verdict, knownBy } = await denyIfReported(judged, this.#findReport(ticket, approver, known));
      // Read the clock again, because the deployment's judgement may have taken long.
      const moment = { now: this.#ports.clock(), lifetimes };
      if (verdict === 'blocked') return transitions.block(ticket, approver, moment);
      if (isDenied(verdict, ticket)) return transitions.forbid(ticket, approver, moment);
      if (enrolledKey === false) throw refusal('enrolled');
      const changesAccount =
        isSignIn(ticket.request) && hadOtherAccount(this.#ports.keys, ticket.browser, approver.accountId);
      const checkCode = verdict === 'check code' && !isSameDevice;
      return transitions.approve(ticket, { ...approval, changesAccount, knownBy, enrolledKey, checkCode }, moment);
    });
    if (decided.state === 'cancelled') throw new WrongNumber(decided);
    return { ticket: decided, changed };
  }

  deny(id: string, approver: Approver, known?: Ticket): Promise<Outcome<DecidedTicket>> {
    return this.#change(id, known, (ticket, moment) =>
      isRepeated(ticket, approver, 'deny', moment.now) ? ticket : transitions.deny(ticket, approver, moment),
    );
  }

  /**
   * Denies the sign-in because the approver did not start it, and ends the ticket that the interaction shows now.
   * Sign-ins from the same network address are refused to this account for an hour. A ticket that has ended already
   * stays as it is, but the report counts. If it is redeemed, the caller must end what came out of it.
   */
  async report(id: string, approver: Approver, known?: Ticket): Promise<Outcome> {
    const { store } = this.#ports;
    const ticket = known ?? (await store.find(id));
    if (ticket === undefined) throw notFound();
    transitions.assertOwner(ticket, approver, this.#ports.clock());
    // Write the note first: if the denial then fails, the user reports again.
    const isNew = await noteReport(this.#ports, approver.accountId, reportedOriginOf(ticket));
    const { knownAs } = ticket.browser;
    if (knownAs !== undefined) await this.#ports.known.remove(approver.accountId, knownAs);
    const outcome = await change(
      this.#ports,
      () => store.findByInteraction(ticket.interaction),
      (current, moment) => applyReport(current, approver, moment),
    );
    // If the interaction's ticket is gone or belongs to another approver by now, it is not disclosed.
    const { ticket: mine, changed } =
      outcome && isOwner(outcome.ticket, approver) ? outcome : { ticket, changed: false };
    return { ticket: mine, changed: changed || isNew };
  }

  /** Denies the sign-in because the phone cannot meet the requirements of the request. */
  giveUp(
    id: string,
    approver: Approver,
    known?: Ticket,
    findEnrolledKey?: FindEnrolledKey,
  ): Promise<Outcome<DecidedTicket>> {
    return this.#change(id, known, async (ticket, moment) => {
      if (isRepeated(ticket, approver, 'unable', moment.now)) return ticket;
      const isMissing = (await findEnrolledKey?.(ticket, approver)) === false;
      return transitions.giveUp(ticket, approver, moment, isMissing ? 'enrolled' : undefined);
    });
  }

  /** Returns the first requirement that the approver does not meet, or undefined if Approve may be offered. */
  unmet(ticket: Ticket, approver: Approver): UnmetRequirement | undefined {
    if (ticket.state !== 'scanned') return undefined;
    return unmetBy(ticket, markIfForTicket(ticket, approver), this.#ports.clock());
  }

  /** Returns the six digits that the approver's phone shows, or undefined if the browser need not type them. */
  checkCode(ticket: Ticket, approver: Approver): string | undefined {
    if (ticket.state !== 'approved' || !isOwner(ticket, approver)) return undefined;
    return ticket.checkCode && checkCodeOf(this.#ports.keys, ticket.id);
  }

  /** Returns the three numbers of which the approver taps one to approve; undefined if Approve is one button. */
  numbers(ticket: Ticket, approver: Approver): readonly string[] | undefined {
    if (ticket.state !== 'scanned' || !ticket.match || !isOwner(ticket, approver)) return undefined;
    return matchNumbersOf(this.#ports.keys, ticket.id).offered;
  }

  /**
   * Returns true if the approver has tapped a wrong number.
   * @throws QrLoginError `invalid_request` if a number is missing where one is asked for, or was not offered
   */
  #isPickWrong({ id, match }: ScannedTicket, pick: string | undefined): boolean {
    const { keys } = this.#ports;
    if (!match && pick === undefined) return false;
    if (!match || pick === undefined || !isOfferedNumber(keys, id, pick))
      throw new QrLoginError('invalid_request', match ? SEND_MATCH : 'Leave out "match": no number is asked for.');
    return !isShownNumber(keys, id, pick);
  }

  /** Ensures that a repeated Approve has the same number. @throws DecidedOtherwise if it has another one */
  #assertSamePick<T extends DecidedTicket>(ticket: T, pick: string | undefined): T {
    const isOther = pick !== undefined && !isShownNumber(this.#ports.keys, ticket.id, pick);
    if (isOther && ticket.state !== 'denied') throw new DecidedOtherwise(ticket.state);
    return ticket;
  }

  async #judge(judge: Judge, ticket: Ticket, approver: Approver, enrolledKey?: BrowserKey): Promise<Judgement> {
    const { known } = this.#ports;
    const browser = await findKnownBrowser(known, approver.accountId, ticket.browser.knownAs);
    const evidence = enrolledKey === undefined ? knownBy(browser) : 'key';
    return { verdict: await judge(ticket, approver, evidence), knownBy: evidence };
  }

  #findReport(ticket: Ticket, approver: Approver, known: KnownTicket | undefined): Promise<boolean> {
    return (ticket === known?.ticket && known.isReported) || this.isReported(ticket, approver);
  }

  async #change<T extends Ticket>(
    id: string,
    known: Ticket | undefined,
    transition: (ticket: Ticket, moment: transitions.Moment) => T | Promise<T>,
  ): Promise<Outcome<T>> {
    let unread = known;
    const read = async (): Promise<Ticket | undefined> => {
      const ticket = unread ?? (await this.#ports.store.find(id));
      unread = undefined;
      return ticket;
    };
    const outcome = await change(this.#ports, read, transition);
    if (outcome === undefined) throw notFound();
    return outcome;
  }
}

/**
 * Returns true if the verdict refuses the ticket. `check code` refuses a request without a browser, which has no screen
 * to type the check code at.
 */
function isDenied(verdict: Verdict, { request }: Ticket): boolean {
  return verdict === 'deny' || (verdict === 'check code' && request.backchannel !== undefined);
}
