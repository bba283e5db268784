/** Shows one part of the QR page at a time, and its state in the tab. */
import { announce, page } from './page.ts';
import type { Ticket } from './ticket/ticket.ts';

/** Returns the part of the page for this ticket, by its name in the template. */
export function screenOf({ state, checkCode, switchAccount, because, phoneIsSigningIn, asked }: Ticket): string {
  if (asked) return 'asked';
  // A deployment's own page may lack this part.
  if (phoneIsSigningIn && page.querySelector('[data-when~=signing-in]') !== null) return 'signing-in';
  if (state === 'approved' && checkCode) return 'check-code';
  if (state === 'approved') return switchAccount ? 'switch' : 'finishing';
  if (because === 'check code') return 'wrong-codes';
  return state === 'redeemed' ? 'finishing' : state;
}

/**
 * Shows a part of the page and announces its heading, which also begins the title of the page. Returns false if this
 * part is shown already.
 */
export function turnPageTo(screen: string): boolean {
  if (page.dataset.screen === screen) return false;
  page.dataset.screen = screen;
  for (const part of page.querySelectorAll<HTMLElement>('[data-when]')) {
    part.hidden = !part.dataset.when?.split(' ').includes(screen);
  }
  // The style sheet animates each screen after the first one.
  page.toggleAttribute('data-turned', true);
  const heading = headingOf();
  if (heading) announce(heading);
  showInTab();
  return true;
}

function headingOf(): string {
  return page.querySelector('[data-say]:not([hidden], [hidden] *)')?.textContent ?? '';
}

/** The icon of the page, for the parts that have none of their own. */
const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
const plainIcon = icon?.getAttribute('href') ?? '';

/** Shows the state in the title and the icon of the tab, for a user who looks at the phone or at another tab. */
export function showInTab(): void {
  const { screen, ...icons } = page.dataset;
  const title = page.querySelector('h1')?.textContent ?? '';
  const heading = screen === 'waiting' ? '' : headingOf();
  // A deployment's own page may have no heading.
  if (title) document.title = heading ? `${heading} · ${title}` : title;
  const kind = page.querySelector<HTMLElement>('[data-icon]:not([hidden], [hidden] *)')?.dataset.icon ?? '';
  // `data-icon-busy` on the page is the address for `data-icon="busy"` on a part.
  const href = icons[`icon${kind.charAt(0).toUpperCase()}${kind.slice(1)}`] ?? plainIcon;
  if (icon && icon.getAttribute('href') !== href) icon.href = href;
}
