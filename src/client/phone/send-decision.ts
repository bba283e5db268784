/**
 * Sends the user's decision from a page that also waits for changes of its ticket, and sends it again if there is no
 * answer. A browser repeats a form on its own only on a connection that it has kept, and here the long poll occupies
 * that connection.
 */
import { pause } from '../requests.ts';
import { STATE, showPage } from './next-page.ts';

const ANSWER_WITHIN_MS = 10_000;
const RETRY_AFTER_MS = 1_000;
/** After this many attempts without an answer, the browser submits the form, and shows its own error. */
const MAX_ATTEMPTS = 5;

/**
 * Sends the form until it is answered, or until a change of its ticket has replaced the page.
 * @param pressed the button, whose value is the decision
 * @param onPage called once the next page is there
 */
export async function sendDecision(
  form: HTMLFormElement,
  pressed: HTMLElement | null,
  onPage: () => void,
): Promise<void> {
  const fields = fieldsOf(form, pressed);
  form.setAttribute('aria-busy', 'true');
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const response = await post(fields).catch(() => undefined);
    // Let the browser submit the form: the page for a 429 needs its own script, and an answer without the
    // state header is not the provider's.
    if (response !== undefined && (response.status === 429 || !response.headers.has(STATE))) break;
    const page = await response?.text().catch(() => undefined);
    if (!form.isConnected) return;
    if (page !== undefined) {
      showPage(page);
      return onPage();
    }
    await pause(RETRY_AFTER_MS);
    if (!form.isConnected) return;
  }
  if (pressed instanceof HTMLButtonElement) form.append(hiddenField(pressed));
  form.submit();
}

function fieldsOf(form: HTMLFormElement, pressed: HTMLElement | null): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === 'string') fields.append(name, value);
  if (pressed instanceof HTMLButtonElement) fields.append(pressed.name, pressed.value);
  return fields;
}

/** Posts the form. The answer is the next page, perhaps after a redirect to it. */
function post(body: URLSearchParams): Promise<Response> {
  const ended = new AbortController();
  setTimeout(() => ended.abort(), ANSWER_WITHIN_MS);
  const headers = { Accept: 'text/html' };
  return fetch(location.href, { method: 'POST', headers, body, cache: 'no-store', signal: ended.signal });
}

function hiddenField({ name, value }: HTMLButtonElement): HTMLInputElement {
  const field = document.createElement('input');
  Object.assign(field, { type: 'hidden', name, value });
  return field;
}
