/** The script of a QR page that offers to enrol the browser by the phone: it sends the request to enrol. */
import { isRefusal } from '../requests.ts';
import { sendKey } from './send-key.ts';

interface Redirect {
  readonly redirectTo: string;
}

const form = document.querySelector<HTMLFormElement>('form[data-ask]');
const self = document.querySelector<HTMLElement>('[data-qr-login]')?.dataset.qrLogin ?? '';

async function ask(form: HTMLFormElement): Promise<void> {
  const problem = form.querySelector<HTMLElement>('[role=alert]');
  const button = form.querySelector('button');
  if (problem) problem.textContent = '';
  if (button) button.disabled = true;
  const answer = await sendKey<Redirect>(`${self}/qr/enrol`, 'key', { nonce: form.dataset.ask ?? '' });
  if (answer && !isRefusal(answer.body)) return location.assign(answer.body.redirectTo);
  if (button) button.disabled = false;
  if (problem) problem.textContent = problem.dataset.text ?? '';
}

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  void ask(form);
});
