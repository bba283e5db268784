/** Shows the name of the phone that has scanned, and the number that the user taps on that phone. */
import { find, page } from './page.ts';
import type { Ticket } from './ticket/ticket.ts';

const heading = page.querySelector<HTMLElement>('[data-by]');
const unnamed: string = heading?.dataset.unnamed ?? heading?.textContent ?? '';

/** Names the phone in the heading about the scan. A page of the deployment may have no such heading. */
export function namePhone({ name, system }: Ticket['phone'] & object = {}): void {
  if (heading === null) return;
  const device = [name, system].filter(Boolean).join(', ');
  heading.textContent = device ? (heading.dataset.by ?? '').replace('{device}', device) : unnamed;
}

const place = page.querySelector<HTMLElement>('[data-number]');

/** Shows the number that the user taps on the phone, or hides its place if there is none. */
export function showNumber(number: string | undefined): void {
  if (place === null) return;
  place.hidden = number === undefined;
  find(place, 'strong').textContent = number ?? '';
}
