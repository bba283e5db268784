/**
 * The script of the page that offers the browser a passkey. It creates the passkey once the phone has approved, and
 * continues without one if the device cannot keep a passkey and verify its user.
 */

const skip = document.querySelector<HTMLFormElement>('form[data-skip]');
const form = document.querySelector<HTMLFormElement>('form:not([data-skip])');

/** Returns true if this device can keep a passkey and verify its user. */
async function canCreate(): Promise<boolean> {
  // Browsers from before March 2025 lack this function, although its type says otherwise.
  if (typeof PublicKeyCredential === 'undefined' || !('parseCreationOptionsFromJSON' in PublicKeyCredential))
    return false;
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
}

/** Continues without a new passkey. @param reason `exists` if the device has a passkey of this account already */
function goOn(reason: string): void {
  const field = skip?.querySelector<HTMLInputElement>('[name=skip]');
  if (field) field.value = reason;
  skip?.requestSubmit();
}

/** Creates the passkey, and sends it with the form. */
async function create(form: HTMLFormElement, options: string): Promise<void> {
  const field = form.querySelector<HTMLInputElement>('[name=credential]');
  const mistake = form.querySelector<HTMLElement>('[role=alert]');
  if (mistake) mistake.textContent = '';
  const credential = await askFor(options);
  if (credential === 'exists') goOn('exists');
  else if (credential !== undefined && field) {
    field.value = credential;
    form.requestSubmit();
  } else if (mistake) mistake.textContent = mistake.dataset.text ?? '';
}

/**
 * Asks the user to create a passkey.
 * @returns the new passkey as JSON; `exists` if the device has one of this account; undefined if the user has dismissed
 * the question or has taken too long
 */
async function askFor(options: string): Promise<string | 'exists' | undefined> {
  try {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options));
    const credential = await navigator.credentials.create({ publicKey });
    return credential instanceof PublicKeyCredential ? JSON.stringify(shorten(credential.toJSON())) : undefined;
  } catch (error) {
    return error instanceof DOMException && error.name === 'InvalidStateError' ? 'exists' : undefined;
  }
}

/** Returns the members that the server checks. The other members repeat these, and the server accepts 4 KB at most. */
function shorten({ id, rawId, type, response }: ReturnType<PublicKeyCredential['toJSON']>): object {
  const { clientDataJSON } = response;
  const made = 'attestationObject' in response ? response : undefined;
  const { attestationObject, transports } = made ?? {};
  return { id, rawId, type, clientExtensionResults: {}, response: { clientDataJSON, attestationObject, transports } };
}

form?.addEventListener('submit', (event) => {
  const { options } = form.dataset;
  if (options === undefined || form.querySelector<HTMLInputElement>('[name=credential]')?.value) return;
  event.preventDefault();
  void create(form, options);
});

void canCreate().then((can) => can || goOn('unable'));

// This export makes the file a module, so that its names do not collide with those of other scripts.
export {};
