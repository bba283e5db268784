/**
 * Asks this device for a passkey.
 * @returns the passkey assertion as JSON; undefined if the user declines or the browser cannot do it
 */
export async function askForPasskey(options: string): Promise<string | undefined> {
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
    const credential = await navigator.credentials.get({ publicKey });
    return credential instanceof PublicKeyCredential ? JSON.stringify(credential.toJSON()) : undefined;
  } catch {
    // Cancelled, timed out or not supported: browsers make no difference, so that a page cannot tell which passkeys
    // exist.
    return undefined;
  }
}
