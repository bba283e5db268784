import { type CeremonyPorts, change, type Outcome } from './change.ts';
import { checkCodeOf } from './check-code.ts';
import { notFound, over } from './errors.ts';
import { isHeldInVain, unmetBy } from './requirements.ts';
import {
  type ApprovedTicket,
  type Approver,
  type DeniedTicket,
  isLive,
  type ScannedTicket,
  stateAt,
  type Ticket,
  type Unmet,
} from './ticket.ts';
import * as transitions from './transitions.ts';

/** An approval, and whether it takes the check code: said, or asked of the ticket once it is sure that it is this approver's. */
export interface Approving extends Omit<transitions.Approval, 'checkCode'> {
  readonly checkCode: boolean | ((ticket: Ticket) => boolean | Promise<boolean>);
}

/** What the person with the phone does, one function for each act. */
export class PhoneActs {
  readonly #ports: CeremonyPorts;

  constructor(ports: CeremonyPorts) {
    this.#ports = ports;
  }

  /** The id of the ticket that this code was shown for just now. */
  read(code: string): { id: string; fresh: boolean } {
    const id = this.#ports.codes.idOf(code);
    if (id === undefined) throw notFound();
    return { id, fresh: this.#ports.codes.isFresh(code, this.#ports.clock()) };
  }

  /**
   * The ticket as it is for nobody in particular: what an approver must be asked for is known before there is one. The acts take it
   * as what was `seen`, and read again only where it has changed since.
   */
  preview(id: string): Promise<Ticket | undefined> {
    return this.#ports.store.find(id);
  }

  /** Claims the ticket for this approver; the same one may scan again. */
  async scan(id: string, approver: Approver, seen?: Ticket): Promise<Outcome<ScannedTicket>> {
    return this.#change(id, seen, (ticket, moment) => {
      if (ticket.state === 'scanned' && isLive(ticket, moment.now) && !isHeldInVain(ticket, approver)) {
        transitions.assertOwner(ticket, approver);
        return ticket;
      }
      return transitions.scan(ticket, approver, moment);
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

  async approve(id: string, { checkCode, ...approval }: Approving, seen?: Ticket): Promise<ApprovedTicket> {
    const { ticket } = await this.#change(id, seen, async (ticket, moment) => {
      transitions.assertOwner(ticket, approval.approver);
      const needed = typeof checkCode === 'function' ? await checkCode(ticket) : checkCode;
      // The deployment may have taken its time to answer.
      const { lifetimes } = moment;
      return transitions.approve(ticket, { ...approval, checkCode: needed }, { now: this.#ports.clock(), lifetimes });
    });
    return ticket;
  }

  async deny(id: string, approver: Approver, seen?: Ticket): Promise<DeniedTicket> {
    const { ticket } = await this.#change(id, seen, (ticket, moment) => transitions.deny(ticket, approver, moment));
    return ticket;
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

  /** The six digits for the phone to show, where the browser must type them. */
  checkCode(ticket: ApprovedTicket): string | undefined {
    return ticket.checkCode && checkCodeOf(this.#ports.keys, ticket.id);
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
