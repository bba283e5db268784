/** What the servers say that know nothing but waiting and pushing: as much as the provider says without a drawing. */
import { randomBytes } from 'node:crypto';

/** How often a stream says something, so that nothing in between gives it up; milliseconds. */
export const HEARTBEAT = 15_000;
export const COMMENT = ': here\n\n';
export const BEAT = ':\n\n';

export const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

export function firstEvent(): string {
  const url = `http://127.0.0.1:3000/qr/${randomBytes(34).toString('base64url')}`;
  return eventOf({ version: 1, state: 'waiting', expiresIn: 600, qr: { url, rotatesIn: 10 } });
}

export function pushedEvent(): string {
  return eventOf({ version: 3, state: 'approved', expiresIn: 600, checkCode: true });
}

function eventOf<T extends { readonly version: number }>(ticket: T): string {
  return `event: ticket\nid: ${ticket.version}\ndata: ${JSON.stringify(ticket)}\n\n`;
}
