/** The name of the phone that has scanned, in the words of the page. */
import { page } from './page.ts';
import type { Ticket } from './ticket/ticket.ts';

/** Names the phone in the heading of its screen. A page of the deployment may not have that. */
export function namePhone(phone: Ticket['phone']): void {
  const heading = page.querySelector<HTMLElement>('[data-scanned-by]');
  if (heading === null) return;
  const { scannedBy = '', device = '', unnamed = '' } = heading.dataset;
  const { name, system } = phone ?? {};
  const both = name && system ? fill(device, { name, system }) : (name ?? system);
  heading.textContent = both === undefined ? unnamed : fill(scannedBy, { device: both });
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
