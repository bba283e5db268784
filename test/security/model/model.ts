/**
 * The rules of the ceremony, written a second time and in another way: a table of flat records, and the change that
 * each act makes to it. It shares no code with `src/`, only the type of an approver.
 */
import type { Approver } from '../../../src/ticket/ticket.ts';
import { type Act, APPROVERS, ENDS, type Note, type Setup, START } from './acts.ts';

/** A ticket in the model: a flat record of the parts that an act can change. */
export interface Row {
  readonly id: string;
  /** The number of its interaction, and of the browser that shows it. */
  readonly at: number;
  readonly by: number;
  readonly state: 'waiting' | 'scanned' | 'approved' | 'denied' | 'redeemed' | 'cancelled';
  readonly version: number;
  readonly shownAt: number;
  readonly deadline: number;
  /** The session that scanned the ticket. */
  readonly owner?: string;
  /** The owner's time of authentication, in seconds. A denied ticket has none, because it is not needed any more. */
  readonly authenticatedAt?: number;
  /** True if the owner has authenticated between scan and Approve. */
  readonly forTicket?: boolean;
  readonly because?: string;
  /** Present if a check code must be typed. */
  readonly wrongTries?: number;
  readonly remember?: boolean;
}

/** The end of an act: a ticket (`changed` if the act changed it), a plain answer, or a refusal. */
export type Ending =
  | { readonly refused: string; readonly ended?: string }
  | { readonly answer: boolean | 'nothing' | 'done' | 'a ticket of another account' }
  | { readonly row: Row; readonly changed: boolean; readonly voided?: string };

const SCAN_MS = 100_000;
const DECIDE_MS = 200_000;
const FINISH_MS = 300_000;

class Refusal {
  readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

export class Model {
  readonly setup: Setup;
  now: number = START;
  /** The time of the last authentication on each phone, in seconds. */
  readonly authenticated: number[] = APPROVERS.map((person) => person.authenticatedAt);
  readonly rows: Map<string, Row> = new Map<string, Row>();
  readonly current: Map<number, string> = new Map<number, string>();
  readonly reports: Set<string> = new Set<string>();
  /** The number of reports, by phone and ticket, that have written their note and are not complete yet. */
  readonly noted: Map<string, number> = new Map<string, number>();

  constructor(setup: Setup) {
    this.setup = setup;
  }

  copy(): Model {
    const copy = new Model(this.setup);
    copy.now = this.now;
    copy.authenticated.splice(0, APPROVERS.length, ...this.authenticated);
    for (const [id, row] of this.rows) copy.rows.set(id, row);
    for (const [at, id] of this.current) copy.current.set(at, id);
    for (const report of this.reports) copy.reports.add(report);
    for (const [noted, count] of this.noted) copy.noted.set(noted, count);
    return copy;
  }

  /** Returns the number of unfinished reports of this ticket by this phone that have written their note. */
  notedBy({ phone, ticket }: Pick<Note, 'phone' | 'ticket'>): number {
    return this.noted.get(`${phone} ${ticket}`) ?? 0;
  }

  /** Applies an act. @param newId the id of the ticket that the act may make, which the model cannot predict */
  act(act: Act | Note, newId: string): Ending {
    try {
      return this.#act(act, newId);
    } catch (refusal) {
      if (refusal instanceof Refusal) return { refused: refusal.code };
      throw refusal;
    }
  }

  /** Returns the ticket of an interaction, if it can be read. */
  rowAt(at: number): Row | undefined {
    const id = this.current.get(at);
    return id === undefined ? undefined : this.row(id);
  }

  /** Returns a ticket, if it can be read. */
  row(id: string): Row | undefined {
    const row = this.rows.get(id);
    return row !== undefined && this.setup.forgets && this.now >= row.deadline ? undefined : row;
  }

  isLive(row: Row): boolean {
    return this.#couldLive(row) && this.now < row.deadline;
  }

  #act(act: Act | Note, newId: string): Ending {
    switch (act.do) {
      case 'wait':
        this.now += act.milliseconds;
        return { answer: 'done' };
      case 'wait for the end': {
        const deadline = this.rowAt(act.at)?.deadline ?? this.now;
        this.now = Math.max(this.now, act.justBefore ? deadline - 1 : deadline);
        return { answer: 'done' };
      }
      case 'sign in again':
        this.authenticated[act.phone] = Math.floor(this.now / 1000);
        return { answer: 'done' };
      case 'note':
        return this.#note(act);
      case 'show':
      case 'renew':
        return this.#show(act, newId);
      case 'watch': {
        const row = this.#mine(act.browser, act.at);
        return row === undefined ? { answer: 'nothing' } : { row, changed: false };
      }
      case 'finish':
        return this.#finish(act);
      case 'sign in here':
        this.#assertMet(act.phone, act.at, true);
        if (act.signedIn !== undefined && act.signedIn !== this.#person(act.phone).accountId && !act.agrees) {
          throw new Refusal('account_switch');
        }
        return this.#signInHere(act.browser, act.at);
      case 'cancel':
        return this.#cancel(act.browser, act.at);
      case 'is reported': {
        const row = this.rowAt(act.at);
        return { answer: row?.state === 'denied' && row.because === 'report' };
      }
      case 'scan':
        return this.#scan(act);
      case 'report':
        return this.#report(act);
      case 'open': {
        const row = this.#owned(act);
        if (row.state === 'cancelled' || this.#hasExpired(row)) throw new Refusal('over');
        return { row, changed: false };
      }
      default:
        return this.#decide(act);
    }
  }

  #show(act: Extract<Act, { do: 'show' | 'renew' }>, newId: string): Ending {
    const old = this.#mine(act.browser, act.at);
    if (old !== undefined && this.#stays(old, act)) return { row: old, changed: false };
    if (this.now >= ENDS) throw new Refusal('over');
    let voided = {};
    if (old !== undefined && this.#couldLive(old)) {
      const isVoided = this.isLive(old);
      this.#write({ ...undecided(old), state: 'cancelled', because: 'renewed' }, FINISH_MS);
      if (isVoided) voided = { voided: old.id };
    }
    const { at, browser: by } = act;
    const row = this.#write(
      { id: newId, at, by, state: 'waiting', version: (old?.version ?? -1) + 1, shownAt: this.now, deadline: 0 },
      SCAN_MS,
    );
    this.current.set(at, newId);
    return { row, changed: true, ...voided };
  }

  #stays(old: Row, act: Extract<Act, { do: 'show' | 'renew' }>): boolean {
    if (act.do === 'show') return !this.#hasExpired(old);
    if (old.state === 'redeemed') throw new Refusal('wrong_state');
    if (old.state === 'denied' && old.because === 'report') return true;
    return this.isLive(old) && act.seen !== undefined && act.seen !== old.version;
  }

  #finish(act: Extract<Act, { do: 'finish' }>): Ending {
    const row = this.#mine(act.browser, act.at);
    if (row === undefined || row.state === 'cancelled') throw new Refusal('over');
    if (row.state === 'redeemed' || row.state === 'denied') return { row, changed: false };
    if (row.state !== 'approved') throw new Refusal(this.isLive(row) ? 'wrong_state' : 'over');
    if (act.isDisabled) throw new Refusal('account_unavailable');
    if (this.#isOutdated(row)) {
      const denied: Row = { ...undecided(row), state: 'denied', because: 'freshness' };
      return { row: this.#write(denied, FINISH_MS), changed: true };
    }
    const isAnother = act.signedIn !== undefined && !row.owner?.startsWith(`${act.signedIn} `);
    if (isAnother && !act.agrees) throw new Refusal('account_switch');
    if (!this.isLive(row)) throw new Refusal('over');
    if (row.wrongTries !== undefined && act.types !== 'right') return this.#refuse(row, row.wrongTries, act.types);
    const { wrongTries: _, ...rest } = row;
    return { row: this.#write({ ...rest, state: 'redeemed' }, FINISH_MS), changed: true };
  }

  /** Returns true if the phone's sign-in was recent enough for Approve, and is not any more. */
  #isOutdated(row: Row): boolean {
    const hasLimit = this.setup.demands[row.at] === 'within a minute' && !row.forTicket;
    return hasLimit && this.isLive(row) && this.#isLongAgo(row.authenticatedAt);
  }

  #refuse(row: Row, before: number, typed: string): Ending {
    if (typed !== 'wrong') throw new Refusal('check_code_required');
    if (before < 2) {
      this.#write({ ...row, wrongTries: before + 1 }, row.deadline - this.now);
      return { refused: 'wrong_check_code' };
    }
    this.#write({ ...undecided(row), state: 'cancelled', because: 'check code' }, FINISH_MS);
    return { refused: 'wrong_check_code', ended: row.id };
  }

  #cancel(browser: number, at: number): Ending {
    const row = this.#mine(browser, at);
    if (row === undefined) return { answer: 'nothing' };
    if (row.state === 'redeemed') throw new Refusal('wrong_state');
    if (!this.isLive(row)) return { row, changed: false };
    return {
      row: this.#write({ ...undecided(row), state: 'cancelled', because: 'browser' }, FINISH_MS),
      changed: true,
    };
  }

  #signInHere(browser: number, at: number): Ending {
    const ending = this.#cancel(browser, at);
    if ('row' in ending && ending.row.because === 'report') throw new Refusal('over');
    return ending;
  }

  #scan({ phone, ticket, verdict }: Extract<Act, { do: 'scan' }>): Ending {
    const row = this.row(ticket);
    if (row === undefined) throw new Refusal('not_found');
    const takesOver =
      row.state === 'scanned' &&
      this.isLive(row) &&
      !this.#isDemandedAccount(row.owner, row.at) &&
      this.#isDemandedAccount(phone, row.at);
    if (row.state !== 'waiting' && !takesOver) {
      this.#assertOwner(phone, row);
      if (row.state === 'cancelled' || this.#hasExpired(row)) throw new Refusal('over');
      return { row, changed: false };
    }
    if (!this.isLive(row)) throw new Refusal('not_found');
    const scanned: Row = {
      ...row,
      state: 'scanned',
      owner: this.#session(phone),
      authenticatedAt: this.authenticated[phone] ?? 0,
    };
    const because = this.#denial(verdict, phone, row);
    if (because !== undefined) {
      const denied: Row = { ...scanned, state: 'denied', because, version: row.version + 1 };
      return { row: this.#write(denied, FINISH_MS), changed: true };
    }
    return { row: this.#write(scanned, takesOver ? row.deadline - this.now : DECIDE_MS), changed: true };
  }

  #decide(act: Extract<Act, { do: 'approve' | 'deny' | 'give up' }>): Ending {
    const row = this.#owned(act);
    if (row.state === 'cancelled' || this.#hasExpired(row)) throw new Refusal('over');
    if (this.#isRepetition(row, act)) return { row, changed: false };
    if (row.state !== 'scanned') throw new Refusal('wrong_state');
    const authenticatedAt = this.authenticated[act.phone] ?? 0;
    const isForTicket = row.authenticatedAt !== authenticatedAt;
    const end = (because: string, lasts: number): Ending => ({
      row: this.#write({ ...undecided(row), state: 'denied', because }, lasts),
      changed: true,
    });
    if (act.do === 'deny') return end('person', FINISH_MS);
    if (act.do === 'give up') {
      const unmet = this.#unmet(act.phone, row.at, isForTicket);
      if (unmet === undefined) throw new Refusal('invalid_request');
      return end(unmet, FINISH_MS);
    }
    const because = this.#denial(act.verdict, act.phone, row);
    if (because !== undefined) return end(because, FINISH_MS);
    this.#assertMet(act.phone, row.at, isForTicket);
    const code = act.verdict === 'check code' ? { wrongTries: 0 } : {};
    const approved: Row = { ...row, state: 'approved', remember: act.remember, authenticatedAt, ...code };
    if (isForTicket) return { row: this.#write({ ...approved, forTicket: true }, FINISH_MS), changed: true };
    return { row: this.#write(approved, FINISH_MS), changed: true };
  }

  /** Returns true if the same session has decided the same before. */
  #isRepetition({ state, because = '' }: Row, act: Extract<Act, { do: 'approve' | 'deny' | 'give up' }>): boolean {
    if (act.do !== 'approve') return state === 'denied';
    return state === 'approved' || state === 'redeemed' || ['risk', 'blocked'].includes(because);
  }

  /** The first half of a report, which writes its note before it changes a ticket. */
  #note({ phone, ticket }: Note): Ending {
    const row = this.#owned({ phone, ticket });
    this.reports.add(this.#reportOf(phone, row));
    this.noted.set(`${phone} ${ticket}`, this.notedBy({ phone, ticket }) + 1);
    return { answer: 'done' };
  }

  /** Ends the ticket that the interaction shows now, unless another session has scanned it. */
  #report({ phone, ticket }: Extract<Act, { do: 'report' }>): Ending {
    if (this.notedBy({ phone, ticket }) === 0) this.#note({ do: 'note', phone, ticket });
    this.noted.set(`${phone} ${ticket}`, this.notedBy({ phone, ticket }) - 1);
    const at = this.rows.get(ticket)?.at ?? -1;
    const shown = this.rowAt(at);
    const isMine = shown?.owner === undefined || shown.owner === this.#session(phone);
    if (shown === undefined || !this.isLive(shown) || !isMine) return { answer: 'done' };
    const authenticatedAt = this.authenticated[phone] ?? 0;
    const denied: Row = {
      ...undecided(shown),
      state: 'denied',
      owner: this.#session(phone),
      authenticatedAt,
      because: 'report',
    };
    this.#write(denied, Number.POSITIVE_INFINITY);
    return { answer: 'done' };
  }

  #owned({ phone, ticket }: { readonly phone: number; readonly ticket: string }): Row {
    const row = this.row(ticket);
    if (row === undefined) throw new Refusal('not_found');
    this.#assertOwner(phone, row);
    return row;
  }

  /** Only another session of the same account is told that the ticket was scanned. */
  #assertOwner(phone: number, row: Row): void {
    if (row.owner === this.#session(phone)) return;
    if (row.owner?.startsWith(`${this.#person(phone).accountId} `) !== true) throw new Refusal('not_found');
    throw new Refusal(this.isLive(row) ? 'wrong_state' : 'over');
  }

  #denial(verdict: string, phone: number, row: Row): string | undefined {
    if (this.reports.has(this.#reportOf(phone, row))) return 'blocked';
    return verdict === 'deny' ? 'risk' : undefined;
  }

  #mine(browser: number, at: number): Row | undefined {
    const row = this.rowAt(at);
    if (row !== undefined && row.by !== browser) throw new Refusal('not_found');
    return row;
  }

  #write(row: Row, lasts: number): Row {
    const { authenticatedAt, forTicket, ...rest } = row;
    const when =
      row.state === 'denied' || authenticatedAt === undefined
        ? {}
        : { authenticatedAt, ...(forTicket && { forTicket }) };
    const written = { ...rest, ...when, version: row.version + 1, deadline: Math.min(this.now + lasts, ENDS) };
    this.rows.set(row.id, written);
    return written;
  }

  #couldLive({ state }: Row): boolean {
    return state === 'waiting' || state === 'scanned' || state === 'approved';
  }

  #hasExpired(row: Row): boolean {
    return this.#couldLive(row) && this.now >= row.deadline;
  }

  #person(phone: number): Approver {
    const person = APPROVERS[phone];
    if (person === undefined) throw new RangeError(`there is no phone ${phone}`);
    return person;
  }

  #session(phone: number): string {
    return `${this.#person(phone).accountId} ${this.#person(phone).sessionUid}`;
  }

  #reportOf(phone: number, row: Row): string {
    return `${this.#person(phone).accountId} of ${this.setup.oneSource ? 'the one address' : row.by}`;
  }

  #isDemandedAccount(who: number | string | undefined, at: number): boolean {
    const session = typeof who === 'number' ? this.#session(who) : who;
    return this.setup.demands[at] !== 'bob' || session?.startsWith('bob ') === true;
  }

  #unmet(phone: number, at: number, isForTicket: boolean): string | undefined {
    const demand = this.setup.demands[at];
    if (!this.#isDemandedAccount(phone, at)) return 'account';
    if (demand === 'for this request' && !isForTicket) return 'freshness';
    if (demand === 'within a minute' && !isForTicket && this.#isLongAgo(this.authenticated[phone])) return 'freshness';
    return demand === 'strong' && this.#person(phone).acr !== 'strong' ? 'acr' : undefined;
  }

  #isLongAgo(authenticatedAt: number = 0): boolean {
    return this.now / 1000 - authenticatedAt > 60;
  }

  #assertMet(phone: number, at: number, isForTicket: boolean): void {
    const unmet = this.#unmet(phone, at, isForTicket);
    if (unmet === 'account') throw new Refusal('wrong_account');
    if (unmet === 'freshness') throw new Refusal('sign_in_again');
    if (unmet === 'acr') throw new Refusal('insufficient_acr');
  }
}

/** Returns the row without the fields of an approved ticket. */
function undecided({ wrongTries: _tries, remember: _remember, ...row }: Row): Row {
  return row;
}
