/**
 * The script of the password page: offers the passkeys of this device in the menu of the name field (WebAuthn Level 3,
 * section 5.1.4, conditional mediation). Browsers without it show the password page as it is.
 */

const script = document.querySelector('script[data-passkeys]');
const mistake = document.querySelector('#mistake');

// Without a connection there is no offer, and the password still works.
if (script instanceof HTMLScriptElement) offer(script.dataset.passkeys ?? '').catch(() => undefined);

/** Waits until the user chooses a passkey, and signs in with it. @param {string} url of the interaction's passkeys */
async function offer(url) {
  if (!(await canAutofill())) return;
  const options = await fetch(url, { headers: { Accept: 'application/json' } });
  if (!options.ok) return;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await options.json());
  // This rejects if the user dismisses the menu, or leaves the page. The password can still be typed.
  const credential = await navigator.credentials.get({ publicKey, mediation: 'conditional' }).catch(() => null);
  if (!(credential instanceof PublicKeyCredential)) return;
  const response = await fetch(url, {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify({ proof: JSON.stringify(credential) }),
  });
  const answer = await response.json();
  if (response.ok) return location.assign(answer.redirectTo);
  // Another account is signed in here: the QR page asks whether it should be replaced.
  if (answer.error === 'account_switch') return location.assign(url.replace(/\/qr\/passkey$/, ''));
  if (mistake instanceof HTMLElement) mistake.textContent = mistake.dataset.passkey ?? '';
}

/** Returns true if this browser can offer passkeys in a menu, and convert them from and to JSON. */
async function canAutofill() {
  if (typeof PublicKeyCredential === 'undefined') return false;
  if (typeof PublicKeyCredential.parseRequestOptionsFromJSON !== 'function') return false;
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}
