/** Asks this device for a passkey. @returns what it answers, as JSON; undefined where the person or the browser does not */
export async function askForPasskey(options: string): Promise<string | undefined> {
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
    const credential = await navigator.credentials.get({ publicKey });
    return credential instanceof PublicKeyCredential ? JSON.stringify(credential.toJSON()) : undefined;
  } catch {
    // Cancelled, timed out, or a browser that cannot: they look the same, so that a page learns nothing.
    return undefined;
  }
}
