import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { ownerOf, type Ticket } from '../ticket/ticket.ts';

/** What happened to a ticket, as the provider emits it: never a code, a cookie or an interaction's uid. */
export interface TicketEvent {
  readonly ticketId: string;
  readonly clientId: string;
  /** Who decides, once somebody has scanned. */
  readonly accountId?: string;
  /** Of a ticket that was cancelled: by whom. */
  readonly because?: string;
}

/** Emitted on the provider with the request's context and a {@link TicketEvent}. */
export type TicketEventName =
  | 'qr_login.shown'
  | 'qr_login.scanned'
  | 'qr_login.approved'
  | 'qr_login.denied'
  | 'qr_login.cancelled'
  | 'qr_login.finished';

export type Announce = (ctx: Context, name: TicketEventName, ticket: Ticket) => void;

/** Tells the deployment, through the provider's own events. */
export function announcer(provider: Provider): Announce {
  return (ctx, name, ticket) => {
    const owner = ownerOf(ticket);
    const event: TicketEvent = {
      ticketId: ticket.id,
      clientId: ticket.request.client.id,
      ...(owner && { accountId: owner.accountId }),
      ...(ticket.state === 'cancelled' && { because: ticket.because }),
    };
    provider.emit(name, ctx, event);
  };
}
