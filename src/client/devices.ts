/** The script of the page that lists the browsers of an account: enrols this browser. */
import { sendKey } from './enrolment/send-key.ts';
import { isRefusal } from './requests.ts';

const button = document.querySelector<HTMLButtonElement>('button[data-enrol]');
const problem = document.querySelector<HTMLElement>('[data-enrol-problem]');

button?.addEventListener('click', async () => {
  const { enrol: nonce = '', csrf = '' } = button.dataset;
  button.disabled = true;
  if (problem) problem.textContent = '';
  const answer = await sendKey<object>(location.pathname, 'enrol', { nonce, csrf });
  if (answer && !isRefusal(answer.body)) return location.reload();
  button.disabled = false;
  if (problem) problem.textContent = problem.dataset.text ?? '';
});
