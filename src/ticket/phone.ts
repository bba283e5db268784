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
  type SignInRequest,
  stateAt,
  type Ticket,
  type Unmet,
} from './ticket.ts';
import * as transitions from './transitions.ts';

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

  /** Claims the ticket for this approver; the same one may scan again. */
  async scan(id: string, approver: Approver): Promise<Outcome<ScannedTicket>> {
    return this.#change(id, (ticket, moment) => {
      if (ticket.state === 'scanned' && isLive(ticket, moment.now) && !isHeldInVain(ticket, approver)) {
        transitions.assertOwner(ticket, approver);
        return ticket;
      }
      return transitions.scan(ticket, approver, moment);
    });
  }

  /** The ticket as it stands, for the one who scanned it. */
  async look(id: string, approver: Approver): Promise<Ticket> {
    const ticket = await this.#ports.store.find(id);
    if (ticket === undefined) throw notFound();
    transitions.assertOwner(ticket, approver);
    if (ticket.state === 'cancelled' || stateAt(ticket, this.#ports.clock()) === 'expired') throw over();
    return ticket;
  }

  async approve(id: string, approval: transitions.Approval): Promise<ApprovedTicket> {
    const { ticket } = await this.#change(id, (ticket, moment) => transitions.approve(ticket, approval, moment));
    return ticket;
  }

  async deny(id: string, approver: Approver): Promise<DeniedTicket> {
    const { ticket } = await this.#change(id, (ticket, moment) => transitions.deny(ticket, approver, moment));
    return ticket;
  }

  /** Denies, because the phone cannot meet what the request demands. */
  async giveUp(id: string, approver: Approver): Promise<DeniedTicket> {
    const { ticket } = await this.#change(id, (ticket, moment) => transitions.giveUp(ticket, approver, moment));
    return ticket;
  }

  /** What stands in the way of Approve. */
  unmet(ticket: Ticket, approver: Approver): Unmet | undefined {
    return ticket.state === 'scanned' ? unmetBy(ticket, approver, this.#ports.clock()) : undefined;
  }

  /** Who must be asked for, before anybody has claimed the ticket: undefined where there is none any more. */
  async preview(id: string): Promise<SignInRequest | undefined> {
    return (await this.#ports.store.find(id))?.request;
  }

  /** The six digits for the phone to show, where the browser must type them. */
  checkCode(ticket: ApprovedTicket): string | undefined {
    return ticket.checkCode && checkCodeOf(this.#ports.keys, ticket.id);
  }

  async #change<T extends Ticket>(
    id: string,
    transition: (ticket: Ticket, moment: transitions.Moment) => T,
  ): Promise<Outcome<T>> {
    const outcome = await change(this.#ports, () => this.#ports.store.find(id), transition);
    if (outcome === undefined) throw notFound();
    return outcome;
  }
}
