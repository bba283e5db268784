/**
 * Offers the passkeys of this device in the menu of a field (WebAuthn Level 3, section 5.1.4, conditional mediation),
 * in a browser that has added a passkey of its own. It is a separate script, because other browsers do not need it.
 */

interface SignInAnswer {
  readonly redirectTo?: string;
  readonly error?: string;
}

const form = document.querySelector<HTMLFormElement>('form[data-passkey]');
const field = form?.querySelector<HTMLElement>('[data-menu]');
const interactionUrl = document.querySelector<HTMLElement>('[data-qr-login]')?.dataset.qrLogin ?? '';

/** Waits until the user chooses a passkey, and signs in with it. */
async function offer(form: HTMLFormElement, field: HTMLElement): Promise<void> {
  if (!(await canOffer())) return;
  field.hidden = false;
  // A browser handles one request for a passkey at a time, so the button of the form has to end this one.
  const pressed = new AbortController();
  form.addEventListener('submit', () => pressed.abort(), { capture: true });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(form.dataset.passkey ?? ''));
  const credential = await navigator.credentials.get({ publicKey, mediation: 'conditional', signal: pressed.signal });
  const response = await fetch(`${interactionUrl}/qr/passkey`, {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify({ proof: JSON.stringify(credential), switchAccount: form.dataset.switchAccount ?? '' }),
  });
  const { redirectTo, error }: SignInAnswer = await response.json();
  const problem = form.querySelector<HTMLElement>('[role=alert]');
  if (redirectTo !== undefined) location.assign(redirectTo);
  // The reloaded page names the account that would be signed out.
  else if (error === 'account_switch') location.reload();
  else if (problem) problem.textContent = problem.dataset.text ?? '';
}

/** Returns true if this browser has such a menu, and can convert passkeys from and to JSON. */
async function canOffer(): Promise<boolean> {
  if (typeof PublicKeyCredential === 'undefined' || !('parseRequestOptionsFromJSON' in PublicKeyCredential))
    return false;
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}

// The user has dismissed the menu, or there is no connection. The button and the code still work.
if (form && field) offer(form, field).catch(() => undefined);

// This export makes the file a module, so that its names do not collide with those of other scripts.
export {};
