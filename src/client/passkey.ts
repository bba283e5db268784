/**
 * Asks this device for a passkey.
 * @returns the passkey assertion as JSON; undefined if the user declines or the browser cannot do it
 */
export async function askForPasskey(options: string): Promise<string | undefined> {
  try {
    const json = JSON.parse(options);
    const publicKey = canConvert('parseRequestOptionsFromJSON', PublicKeyCredential)
      ? PublicKeyCredential.parseRequestOptionsFromJSON(json)
      : (await import('./passkey-json.ts')).readOptions(json);
    const credential = await navigator.credentials.get({ publicKey });
    if (!(credential instanceof PublicKeyCredential)) return undefined;
    return JSON.stringify(
      canConvert('toJSON', credential)
        ? credential.toJSON()
        : (await import('./passkey-json.ts')).writeAnswer(credential),
    );
  } catch {
    // The request was cancelled, timed out, or is not supported. Browsers report all of these alike, so that a page
    // cannot tell which passkeys exist.
    return undefined;
  }
}

/**
 * If the browser does not support WebAuthn, removes the forms that ask for a passkey, and each group that is then left
 * without a link or form.
 */
export function removeUnusablePasskeys(page: ParentNode): void {
  if (typeof PublicKeyCredential !== 'undefined') return;
  for (const form of page.querySelectorAll<HTMLFormElement>('form[data-passkey]')) {
    const group = form.closest('nav');
    form.remove();
    if (group?.querySelector('a, form') === null) group.remove();
  }
}

/**
 * Returns true if `owner` has the function `name`. TypeScript's types always have it, but some browsers from before
 * March 2025 lack it.
 */
function canConvert(name: string, owner: object): boolean {
  return name in owner;
}
