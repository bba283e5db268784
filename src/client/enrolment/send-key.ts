import { publicKey, sign } from '../browser-key.ts';
import { type Answer, post, type Refusal } from '../requests.ts';

/**
 * Sends the key of this browser, with its signature of the challenge of the page.
 * @param keyField the name of the field for the key
 * @returns the answer; undefined if there is no answer, no WebCrypto, or no storage for pages
 */
export async function sendKey<Body>(
  url: string,
  keyField: string,
  { nonce, ...fields }: { readonly nonce: string } & Record<string, string>,
): Promise<Answer<Body | Refusal> | undefined> {
  try {
    const key = await publicKey();
    const signature = await sign(`oidc-provider-qr-login enrol ${nonce}`);
    return signature === undefined ? undefined : await post<Body>(url, { ...fields, [keyField]: key, signature });
  } catch {
    return undefined;
  }
}
