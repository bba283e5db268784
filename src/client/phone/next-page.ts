/** Shows the next page that the server has sent: its `main` replaces the present one. */

/**
 * The header with the state of the ticket. Each answer of the provider about a ticket has it, but no answer of a
 * captive portal.
 */
export const STATE = 'Qr-Login-State';

/** Shows a page in the place of this one. If a deployment's own page has another structure, this page is reloaded. */
export function showPage(html: string): void {
  const next = new DOMParser().parseFromString(html, 'text/html');
  const [main, nextMain] = [document.querySelector('main'), next.querySelector('main')];
  if (main === null || nextMain === null) {
    location.reload();
    return;
  }
  document.title = next.title;
  main.replaceWith(nextMain);
  const heading = nextMain.querySelector('h1');
  // Screen readers read a heading that gets the focus.
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}
