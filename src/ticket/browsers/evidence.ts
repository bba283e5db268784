import type { ApprovedTicket } from '../ticket.ts';
import { isSignedBy } from './browser-key.ts';
import { findKnownBrowser, type KnownBrowsers } from './known-browser.ts';

/** The evidence that a browser presents when it finishes. */
export interface BrowserEvidence {
  /** The network address that its request comes from, which a client cannot forge. */
  readonly source: string;
  /** The fingerprint of the secret in its memory cookie, if it has one. */
  readonly knownAs: string | undefined;
  /** The signature of the ticket by the browser's key, if it has one. */
  readonly signature?: string | undefined;
}

/**
 * Returns true if the evidence because of which Approve demanded no check code holds at finish, too: a browser that the
 * account trusted is still trusted, and has its key if the trust is bound to one. Any other browser must finish from
 * the network address at which it showed the code.
 */
export async function evidenceHolds(
  known: Pick<KnownBrowsers, 'list'>,
  ticket: ApprovedTicket,
  { source, knownAs, signature }: BrowserEvidence,
): Promise<boolean> {
  // An enrolled browser has shown its key before this function is called.
  if (ticket.enrolledKey !== undefined) return true;
  if (ticket.knownBy === undefined) return source === ticket.browser.source;
  const browser = await findKnownBrowser(known, ticket.approver.accountId, knownAs);
  if (browser === undefined) return false;
  return browser.key === undefined || isSignedBy(browser.key, ticket, signature);
}
