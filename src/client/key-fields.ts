import { interactionUrl } from './page.ts';
import type { Ticket } from './ticket/ticket.ts';

/**
 * Returns the fields about this browser's key that the `finish` request sends: a signature, or a new public key. If
 * they are missing, the server asks for the check code, or trusts the cookie.
 * @param version the version of the ticket, which the signature covers
 */
export async function keyFields(use: Ticket['key'], version: number): Promise<Record<string, string>> {
  if (!use) return {};
  try {
    const { publicKey, sign } = await import('./browser-key.ts');
    if (use === 'make') return { key: await publicKey() };
    const uid = interactionUrl.split('/').pop();
    return { signature: (await sign(`oidc-provider-qr-login finish ${uid} ${version}`)) ?? '' };
  } catch {
    return {};
  }
}

/** Returns the public key of this browser, and its signature of the code on the screen; undefined without a key. */
export async function shownKeyFields(code: string): Promise<Record<string, string> | undefined> {
  try {
    return await (await import('./browser-key.ts')).signShownCode(interactionUrl.split('/').pop() ?? '', code);
  } catch {
    return undefined;
  }
}
