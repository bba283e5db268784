import { findKnownBrowser, type KnownBrowsers } from './known-browser.ts';
import type { ApprovedTicket } from './ticket.ts';

/** The evidence that a browser presents when it finishes. */
export interface BrowserEvidence {
  /** The network address that its request comes from, which a client cannot forge. */
  readonly source: string;
  /** The fingerprint of the secret in its memory cookie, if it has one. */
  readonly knownAs: string | undefined;
}

/**
 * Returns true if the evidence that spared the check code at Approve holds at finish, too: a browser that the account
 * trusted is still trusted, and any other finishes from the network address at which it showed the code.
 */
export async function holdsEvidence(
  known: Pick<KnownBrowsers, 'list'>,
  { approver, browser, isKnown }: ApprovedTicket,
  { source, knownAs }: BrowserEvidence,
): Promise<boolean> {
  if (!isKnown) return source === browser.source;
  return (await findKnownBrowser(known, approver.accountId, knownAs)) !== undefined;
}
