/**
 * The script of a QR page in a browser that an account knows by its key: it offers to ask the phones of the account, and
 * signs the request.
 */
import { sign } from '../browser-key.ts';

const form = document.querySelector<HTMLFormElement>('form[data-ask-phone]');

/** Signs the challenge of the page. @returns undefined if this browser has lost its key, or cannot use it */
async function signChallenge(nonce: string): Promise<string | undefined> {
  try {
    return await sign(`oidc-provider-qr-login ask ${nonce}`);
  } catch {
    return undefined;
  }
}

async function offer(form: HTMLFormElement): Promise<void> {
  // Without the key the form could only fail, so it stays hidden.
  const signature = await signChallenge(form.dataset.askPhone ?? '');
  const field = form.querySelector('input');
  if (signature === undefined || field === null) return;
  field.value = signature;
  form.hidden = false;
}

if (form) void offer(form);
