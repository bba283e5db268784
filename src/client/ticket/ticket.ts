/** The ticket as the server describes it to the browser. */
import { get, isRefusal, pause } from '../requests.ts';

export interface Ticket {
  version: number;
  state: 'waiting' | 'scanned' | 'approved' | 'denied' | 'expired' | 'redeemed' | 'cancelled';
  expiresIn: number;
  qr?: { url: string; svg?: string; rotatesIn: number; shortCode?: string };
  asked?: true;
  phoneIsSigningIn?: true;
  phone?: { name?: string; system?: string };
  number?: string;
  checkCode?: boolean;
  because?: string;
  switchAccount?: true;
  key?: 'sign' | 'make';
}

/** A request with this parameter is answered without pictures, because the page draws the codes itself. */
export const NO_PICTURE = 'svg=no';

export const POLL_EVERY_MS = 3_000;

export const GONE = 'gone';
/** The ticket in an answer; `GONE` if the interaction has ended; undefined if there was no answer. */
export type TicketAnswer = Ticket | typeof GONE | undefined;

/** Requests the ticket every few seconds until there is an answer, or until `until` is aborted. */
export async function requestUntilAnswered(
  url: string,
  until: AbortSignal,
  onNoAnswer: () => void = () => undefined,
): Promise<TicketAnswer> {
  for (;;) {
    const answer = await requestTicket(url, until);
    if (answer !== undefined || until.aborted) return answer;
    onNoAnswer();
    await pause(POLL_EVERY_MS);
  }
}

/** Requests the ticket once. @param within the longest wait for the answer, in milliseconds */
export async function requestTicket(url: string, until: AbortSignal, within?: number): Promise<TicketAnswer> {
  const answer = await get<Ticket>(url, { until, ...(within !== undefined && { within }) });
  if (answer === undefined || until.aborted) return undefined;
  const { status, retryAfter, body } = answer;
  if (status === 404) return GONE;
  if (!isRefusal(body)) return body;
  await pause(retryAfter * 1000);
  return undefined;
}
