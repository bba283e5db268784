import { type CeremonyPorts, change, type Outcome } from './change.ts';
import { checkCodeOf } from './check-code.ts';
import { notFound, over } from './errors.ts';
import type { Notes } from './ports.ts';
import { isHeldInVain, unmetBy } from './requirements.ts';
import { reportsOf, type Verdict } from './risk.ts';
import {
  type ApprovedTicket,
  type Approver,
  type DeniedTicket,
  isLive,
  isOwner,
  type ScannedTicket,
  stateAt,
  type Ticket,
  type Unmet,
} from './ticket.ts';
import { newTicketId } from './ticket-id.ts';
import * as transitions from './transitions.ts';

/** How a sign-in is judged: asked once it is sure that the ticket is this approver's. */
export type Judge = (ticket: Ticket, approver: Approver) => Verdict | Promise<Verdict>;

const ALLOW: Judge = () => 'allow';

/** What was known before an act; it is asked again only where the ticket has changed since. */
export interface Seen {
  readonly ticket: Ticket | undefined;
  /** Whether this account has reported whoever asks. */
  readonly isReported?: Promise<boolean> | undefined;
}

export interface Scanning {
  readonly judge?: Judge;
  readonly seen?: Seen;
  /** Whether the person has typed the short code instead. */
  readonly typed?: boolean;
}

export interface Approving extends Omit<transitions.Approval, 'checkCode'> {
  readonly judge?: Judge;
}

/** For how long an account is safe from whoever it has reported. */
const REPORT_LASTS = 60 * 60 * 1000;

/** What the person with the phone does, one function for each act. */
export class PhoneActs {
  readonly #ports: CeremonyPorts;

  constructor(ports: CeremonyPorts) {
    this.#ports = ports;
  }

  /** The id in a code; undefined where the text is no code at all. */
  idOf(code: string): string | undefined {
    return this.#ports.codes.idOf(code);
  }

  /** The id of the ticket that this code was shown for just now. */
  read(code: string): { id: string; fresh: boolean } {
    const id = this.idOf(code);
    if (id === undefined) throw notFound();
    return { id, fresh: this.#ports.codes.isFresh(code, this.#ports.clock()) };
  }

  /**
   * The ticket that this short code was shown for, while somebody may claim it.
   * @throws QrLoginError `not_found` where there is none; what is unknown takes as long to look up
   */
  async findTyped(shortCode: string): Promise<Ticket> {
    const { shortCodes, store, clock } = this.#ports;
    const id = await shortCodes?.find(shortCode);
    const ticket = await store.find(id ?? newTicketId(''));
    if (ticket === undefined || !isLive(ticket, clock()) || ticket.state === 'approved') throw notFound();
    return ticket;
  }

  /**
   * The ticket as it is for nobody in particular: what an approver must be asked for is known before there is one. The acts take it
   * as what was `seen`, and read again only where it has changed since.
   */
  preview(id: string): Promise<Ticket | undefined> {
    return this.#ports.store.find(id);
  }

  /** Whether this account has reported whoever asks. */
  async isReported(ticket: Ticket | undefined, approver: Pick<Approver, 'accountId'> | undefined): Promise<boolean> {
    const { keys, notes } = this.#ports;
    if (ticket === undefined || approver === undefined) return false;
    return isNoted(notes, reportsOf(keys, approver.accountId, ticket.browser));
  }

  /** Claims the ticket for this approver; the same one may scan again. What is judged to be a risk ends at once. */
  async scan(
    id: string,
    approver: Approver,
    { judge = ALLOW, seen, typed = false }: Scanning = {},
  ): Promise<Outcome<ScannedTicket | DeniedTicket>> {
    const claim = typed ? transitions.scanTyped : transitions.scan;
    return this.#change(id, seen?.ticket, async (ticket, moment) => {
      const { lifetimes } = moment;
      if (ticket.state === 'scanned' && isLive(ticket, moment.now) && !isHeldInVain(ticket, approver)) {
        transitions.assertOwner(ticket, approver);
        return ticket;
      }
      const claimed = claim(ticket, approver, moment);
      const verdict = await this.#judge(judge(claimed, approver), this.#reported(ticket, approver, seen));
      // The deployment may have taken its time to answer.
      const later = { now: this.#ports.clock(), lifetimes };
      const scanned = claim(ticket, approver, later);
      return verdict === 'deny' ? transitions.forbid(scanned, approver, later) : scanned;
    });
  }

  /** The ticket as it stands, for the one who scanned it. */
  async look(id: string, approver: Approver, seen?: Ticket): Promise<Ticket> {
    const ticket = seen ?? (await this.#ports.store.find(id));
    if (ticket === undefined) throw notFound();
    transitions.assertOwner(ticket, approver);
    if (ticket.state === 'cancelled' || stateAt(ticket, this.#ports.clock()) === 'expired') throw over();
    return ticket;
  }

  async approve(
    id: string,
    { judge = ALLOW, ...approval }: Approving,
    seen?: Seen,
  ): Promise<ApprovedTicket | DeniedTicket> {
    const { ticket } = await this.#change(id, seen?.ticket, async (ticket, { lifetimes }) => {
      const { approver } = approval;
      transitions.assertOwner(ticket, approver);
      const verdict = await this.#judge(judge(ticket, approver), this.#reported(ticket, approver, seen));
      // The deployment may have taken its time to answer.
      const moment = { now: this.#ports.clock(), lifetimes };
      if (verdict === 'deny') return transitions.forbid(ticket, approver, moment);
      return transitions.approve(ticket, { ...approval, checkCode: verdict === 'check code' }, moment);
    });
    return ticket;
  }

  async deny(id: string, approver: Approver, seen?: Ticket): Promise<DeniedTicket> {
    const { ticket } = await this.#change(id, seen, (ticket, moment) => transitions.deny(ticket, approver, moment));
    return ticket;
  }

  /**
   * Denies, because somebody else has started this, and ends whatever the interaction shows now; whoever asks from there again is
   * refused for a while. What has ended already stays as it is, but counts as a report.
   */
  async report(id: string, approver: Approver, seen?: Ticket): Promise<Outcome> {
    const { store, keys, notes } = this.#ports;
    const ticket = seen ?? (await store.find(id));
    if (ticket === undefined) throw notFound();
    transitions.assertOwner(ticket, approver);
    const [note = '', ...olderNames] = reportsOf(keys, approver.accountId, ticket.browser);
    const isNews = !(await isNoted(notes, [note, ...olderNames]));
    // First: where the denial gets lost, the person says it again.
    await notes.write(note, REPORT_LASTS);
    const outcome = await change(
      this.#ports,
      () => store.findByInteraction(ticket.interaction),
      (current, moment) => reported(current, approver, moment),
    );
    // Another one's by now, or gone: what is there is not told to whoever reports.
    const { ticket: mine, changed } =
      outcome && isOwner(outcome.ticket, approver) ? outcome : { ticket, changed: false };
    if (mine.state === 'redeemed') throw over();
    return { ticket: mine, changed: changed || isNews };
  }

  /** Denies, because the phone cannot meet what the request demands. */
  async giveUp(id: string, approver: Approver, seen?: Ticket): Promise<DeniedTicket> {
    const { ticket } = await this.#change(id, seen, (ticket, moment) => transitions.giveUp(ticket, approver, moment));
    return ticket;
  }

  /** What stands in the way of Approve. */
  unmet(ticket: Ticket, approver: Approver): Unmet | undefined {
    return ticket.state === 'scanned' ? unmetBy(ticket, approver, this.#ports.clock()) : undefined;
  }

  /** The six digits for the phone of the approver to show, where the browser must type them. */
  checkCode(ticket: Ticket, approver: Approver): string | undefined {
    if (ticket.state !== 'approved' || !isOwner(ticket, approver)) return undefined;
    return ticket.checkCode && checkCodeOf(this.#ports.keys, ticket.id);
  }

  /** What the person has reported stays refused, whatever the deployment thinks of it. */
  async #judge(judged: Verdict | Promise<Verdict>, reported: Promise<boolean>): Promise<Verdict> {
    const [isReported, verdict] = await Promise.all([reported, judged]);
    return isReported ? 'deny' : verdict;
  }

  #reported(ticket: Ticket, approver: Approver, seen: Seen | undefined): Promise<boolean> {
    return (ticket === seen?.ticket && seen.isReported) || this.isReported(ticket, approver);
  }

  async #change<T extends Ticket>(
    id: string,
    seen: Ticket | undefined,
    transition: (ticket: Ticket, moment: transitions.Moment) => T | Promise<T>,
  ): Promise<Outcome<T>> {
    let known = seen;
    const read = async (): Promise<Ticket | undefined> => {
      const ticket = known ?? (await this.#ports.store.find(id));
      known = undefined;
      return ticket;
    };
    const outcome = await change(this.#ports, read, transition);
    if (outcome === undefined) throw notFound();
    return outcome;
  }
}

/** Under whichever name. */
async function isNoted(notes: Notes, names: readonly string[]): Promise<boolean> {
  return (await Promise.all(names.map((name) => notes.read(name)))).some((note) => note !== undefined);
}

/** What becomes of the ticket that an interaction shows now: what has ended stays, and so does what somebody else has scanned. */
function reported(ticket: Ticket, approver: Approver, moment: transitions.Moment): Ticket {
  if (!isLive(ticket, moment.now)) return ticket;
  if (ticket.state === 'waiting') return transitions.reportNext(ticket, approver, moment);
  return isOwner(ticket, approver) ? transitions.report(ticket, approver, moment) : ticket;
}
