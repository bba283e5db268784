/** The script of the list of browsers that lets this phone be notified about requests. It asks nothing by itself. */
import { isRefusal, post } from '../requests.ts';

const part = document.querySelector<HTMLElement>('[data-push]');
const button = part?.querySelector('button');
const problem = part?.querySelector<HTMLElement>('[role=alert]');

/** Returns the bytes of a text in base64url. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
}

/** Subscribes at the browser's push service, which asks the user first, and tells the server. */
async function subscribe({ push: key = '', worker = '', scope = '/', csrf = '' }: DOMStringMap): Promise<boolean> {
  const registration = await navigator.serviceWorker.register(worker, { scope });
  await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytesOf(key),
  });
  const answer = await post<object>(location.pathname, { csrf, subscribe: JSON.stringify(subscription) });
  return answer !== undefined && !isRefusal(answer.body);
}

if (part && button && 'serviceWorker' in navigator && 'PushManager' in globalThis) {
  part.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    if (problem) problem.textContent = '';
    const isSubscribed = await subscribe(part.dataset).catch(() => false);
    if (isSubscribed) return location.reload();
    button.disabled = false;
    if (problem) problem.textContent = problem.dataset.text ?? '';
  });
}
