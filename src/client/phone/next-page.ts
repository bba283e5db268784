/** The page that comes next, as the server has sent it: its `main` takes the place of the present one. */

/** The header that each of our answers about a ticket has, and no captive portal: the state of the ticket. */
export const STATE = 'Qr-Login-State';

/** Shows a page in the place of this one. A page of the deployment may have another form: then this one is reloaded. */
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
  // So that a screen reader reads it.
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}
