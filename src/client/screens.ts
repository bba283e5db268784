/** The parts of the QR page, of which one is shown at a time. */
import { announce, page } from './page.ts';
import type { Ticket } from './ticket/ticket.ts';

/** Returns the part of the page for this ticket, by its name in the template. */
export function screenOf({ state, checkCode, switchAccount, because, phoneIsSigningIn }: Ticket): string {
  // A page of the deployment may not have this part.
  if (phoneIsSigningIn && page.querySelector('[data-when~=signing-in]') !== null) return 'signing-in';
  if (state === 'approved' && checkCode) return 'check-code';
  if (state === 'approved') return switchAccount ? 'switch' : 'finishing';
  if (because === 'check code') return 'wrong-codes';
  return state === 'redeemed' ? 'finishing' : state;
}

/** Shows a part of the page and announces its heading. Returns false if it is shown already. */
export function turnPageTo(screen: string): boolean {
  if (page.dataset.screen === screen) return false;
  page.dataset.screen = screen;
  for (const part of page.querySelectorAll<HTMLElement>('[data-when]')) {
    part.hidden = !part.dataset.when?.split(' ').includes(screen);
  }
  const heading = page.querySelector('[data-say]:not([hidden], [hidden] *)');
  if (heading) announce(heading.textContent ?? '');
  return true;
}
