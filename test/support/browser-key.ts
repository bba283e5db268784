/** Makes and uses the key of a browser, as the page's script does in a real browser. */
import { webcrypto } from 'node:crypto';

const { subtle } = webcrypto;

export class TestBrowserKey {
  readonly #pair: webcrypto.CryptoKeyPair;

  private constructor(pair: webcrypto.CryptoKeyPair) {
    this.#pair = pair;
  }

  static async make(): Promise<TestBrowserKey> {
    return new TestBrowserKey(await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']));
  }

  /** Returns the field `key` of a finish request. */
  async publicKey(): Promise<string> {
    const { kty, crv, x, y } = await subtle.exportKey('jwk', this.#pair.publicKey);
    return JSON.stringify({ kty, crv, x, y });
  }

  /** Returns the field `signature` of a finish request, for the page at this address. */
  async sign(at: string, version: unknown): Promise<string> {
    return this.signText(`oidc-provider-qr-login finish ${new URL(at).pathname.split('/').at(-1)} ${version}`);
  }

  /**
   * Returns the fields of the request by which the page at this address announces its key.
   * @param codeUrl the address in the code on that page
   */
  async announcement(at: string, codeUrl: string): Promise<{ key: string; code: string; signature: string }> {
    const code = `${new URL(codeUrl).pathname.split('/').at(-1)}`;
    const uid = new URL(at).pathname.split('/').at(-1);
    return {
      key: await this.publicKey(),
      code,
      signature: await this.signText(`oidc-provider-qr-login show ${uid} ${code}`),
    };
  }

  /** Returns the fields of the request that enrols its browser. @param nonce the challenge from the list of browsers */
  async enrolment(nonce: string): Promise<{ enrol: string; signature: string }> {
    return { enrol: await this.publicKey(), signature: await this.signText(`oidc-provider-qr-login enrol ${nonce}`) };
  }

  async signText(text: string): Promise<string> {
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
    const signature = await subtle.sign(algorithm, this.#pair.privateKey, Buffer.from(text));
    return Buffer.from(signature).toString('base64url');
  }
}
