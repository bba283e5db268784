import type { TicketView } from '../../src/phone/index.ts';
import { CODE_LENGTH } from '../support/codes.ts';

/** A text with the form of a code. */
export const CODE: string = 'C'.repeat(CODE_LENGTH);

/** Returns a ticket as the API describes it. */
export function viewOf(changes: Partial<TicketView> = {}): TicketView {
  return {
    id: 'a-ticket',
    version: 1,
    state: 'scanned',
    expiresIn: 60,
    shownAgo: 3,
    client: { id: 'shop', name: 'Shop', host: 'shop.example' },
    browser: { name: 'Chrome', system: 'Linux' },
    scopes: [{ name: 'openid', text: 'know who you are' }],
    claims: [],
    resources: [],
    consent: false,
    account: { name: 'Alice' },
    ...changes,
  };
}
