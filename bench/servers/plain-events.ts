/** The events of the servers that only push. They are as long as the provider's events without a drawing. */
import { randomBytes } from 'node:crypto';

/** The interval of heartbeats, which keep proxies from closing an idle stream. */
export const HEARTBEAT_MS = 15_000;
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
