/** The script of the page that lists the browsers of an account: enrols this browser. */
import { publicKey, sign } from './browser-key.ts';
import { isRefusal, post } from './requests.ts';

const button = document.querySelector<HTMLButtonElement>('button[data-enrol]');
const problem = document.querySelector<HTMLElement>('[data-enrol-problem]');

async function enrol({ dataset: { enrol: nonce = '', csrf = '' } }: HTMLElement): Promise<boolean> {
  try {
    const key = await publicKey();
    const signature = await sign(`oidc-provider-qr-login enrol ${nonce}`);
    const answer = signature && (await post<object>(location.pathname, { csrf, enrol: key, signature }));
    return answer ? !isRefusal(answer.body) : false;
  } catch {
    // This browser has no WebCrypto, or lets pages store nothing.
    return false;
  }
}

button?.addEventListener('click', async () => {
  button.disabled = true;
  if (problem) problem.textContent = '';
  if (await enrol(button)) return location.reload();
  button.disabled = false;
  if (problem) problem.textContent = problem.dataset.text ?? '';
});
