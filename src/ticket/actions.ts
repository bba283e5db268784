import { randomBytes } from 'node:crypto';
import { type CeremonyPorts, change, type Outcome } from './change.ts';
import { notFound } from './errors.ts';
import { type Action, type Browser, hasBrowser, isLive, type SignInRequest, type Ticket } from './ticket.ts';
import { newTicketId } from './ticket-id.ts';
import * as transitions from './transitions.ts';

/** A ticket that approves an action. */
export type ActionTicket = Ticket & { readonly request: { readonly action: Action } };

/** The data with which an action is requested. */
export interface ActionInput {
  readonly request: Omit<SignInRequest, 'action'> & { readonly action: Omit<Action, 'expiresAt'> };
  /** The browser that shows the code; if there is none yet, a browser without a binding. */
  readonly browser: Browser;
  /** The time that is left for the decision and its confirmation, in milliseconds. */
  readonly lasts: number;
}

/** The time for which the result of an action can be read after the action has expired. */
export const RESULT_KEPT_MS: number = 10 * 60 * 1000;
const ID_BYTES = 16;

/**
 * The acts of the requester of an action, and of the browser that opens it. The action's id takes the place of an
 * interaction's uid: it is in the URL of the page, and not in the code.
 */
export class ActionActs {
  readonly #ports: CeremonyPorts;

  constructor(ports: CeremonyPorts) {
    this.#ports = ports;
  }

  /** Returns an unused id, with 128 bits from the system's random generator. */
  newId(): string {
    return randomBytes(ID_BYTES).toString('base64url');
  }

  /** Creates the ticket of an action. An action has only one ticket. Once that has expired, request a new action. */
  async request(id: string, { request, browser, lasts }: ActionInput): Promise<ActionTicket> {
    const { store, clock, lifetimes, shortCodes } = this.#ports;
    const now = clock();
    const expiresAt = now + lasts;
    const asked = { ...request, action: { ...request.action, expiresAt } };
    const fixed = { id: newTicketId(id), interaction: id, request: asked, browser };
    const ticket = transitions.show({ ...fixed, endsAt: expiresAt + RESULT_KEPT_MS }, undefined, { now, lifetimes });
    await shortCodes?.note(ticket.id, ticket.deadline - now);
    if (!(await store.create(ticket))) throw notFound();
    return { ...ticket, request: asked };
  }

  /** Returns the ticket of an action; undefined if there is none (any more), or if the id is that of a sign-in. */
  async look(id: string): Promise<ActionTicket | undefined> {
    const ticket = await this.#ports.store.findByInteraction(id);
    return ticket !== undefined && isAction(ticket) ? ticket : undefined;
  }

  /**
   * Shows the action in this browser. Only the first browser that opens an action shows it, and may repeat this act.
   * @throws QrLoginError `not_found` to any other browser, and if a phone has scanned before
   */
  async open(id: string, browser: Browser): Promise<Outcome> {
    const outcome = await change(
      this.#ports,
      () => this.look(id),
      (ticket, moment) => (isShownIn(ticket, browser) ? ticket : transitions.putOnScreen(ticket, browser, moment)),
    );
    if (outcome === undefined) throw notFound();
    return outcome;
  }

  /** Takes the action back. If it has ended already, it stays as it is. */
  async cancel(id: string): Promise<Outcome | undefined> {
    return change(
      this.#ports,
      () => this.look(id),
      (ticket, moment) => (isLive(ticket, moment.now) ? transitions.cancel(ticket, 'requester', moment) : ticket),
    );
  }
}

function isAction(ticket: Ticket): ticket is ActionTicket {
  return ticket.request.action !== undefined;
}

function isShownIn(ticket: Ticket, { binding }: Browser): boolean {
  return hasBrowser(ticket) && ticket.browser.binding === binding;
}
