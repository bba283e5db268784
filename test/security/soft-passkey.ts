/** An authenticator of software: a passkey for attacks over HTTP (WebAuthn Level 3, sections 6.1 and 6.5). */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { PhoneVisitor } from '../support/visitors.ts';
import { expectStatus } from './scene.ts';

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_KEY = 0x40;

export class SoftPasskey {
  readonly #id = randomBytes(16);
  readonly #origin: string;
  readonly #key: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

  private constructor(origin: string) {
    this.#origin = origin;
    this.#key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  }

  /** Adds a passkey to the account that is signed in on this phone. */
  static async addedBy(phone: PhoneVisitor): Promise<SoftPasskey> {
    const { issuer } = phone.site;
    const passkey = new SoftPasskey(new URL(issuer).origin);
    const asked = expectStatus(await phone.post(`${issuer}/account/passkeys/options`, {}), 200, 'adding a passkey');
    const json = passkey.#credential('webauthn.create', `${asked.json().challenge}`, (clientData) => ({
      clientDataJSON: clientData.toString('base64url'),
      attestationObject: passkey.#attestation().toString('base64url'),
    }));
    expectStatus(await phone.agent.post(`${issuer}/account/passkeys`, { json }), 200, 'a new passkey');
    return passkey;
  }

  /** Answers what the QR page asks for a passkey with. @returns the answer as JSON */
  answer(challenge: string): string {
    const json = this.#credential('webauthn.get', challenge, (clientData) => {
      const data = this.#authenticatorData(USER_PRESENT | USER_VERIFIED);
      const signature = sign('sha256', Buffer.concat([data, sha256(clientData)]), this.#key.privateKey);
      return {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
      };
    });
    return JSON.stringify(json);
  }

  #credential(type: string, challenge: string, response: (clientData: Buffer) => object): object {
    const id = this.#id.toString('base64url');
    const clientData = Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false }));
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: response(clientData) };
  }

  #authenticatorData(flags: number, more: Buffer = Buffer.alloc(0)): Buffer {
    const counter = Buffer.alloc(4);
    return Buffer.concat([sha256(new URL(this.#origin).hostname), Buffer.from([flags]), counter, more]);
  }

  /** CBOR (RFC 8949), written out: no attestation, and the key as COSE has it (RFC 9053, section 7.1.1). */
  #attestation(): Buffer {
    const { x = '', y = '' } = this.#key.publicKey.export({ format: 'jwk' });
    const key = ['a50102032620012158', '20', hex(x), '225820', hex(y)].join('');
    const length = this.#id.length.toString(16).padStart(4, '0');
    const more = Buffer.from(`${'00'.repeat(16)}${length}${this.#id.toString('hex')}${key}`, 'hex');
    const data = this.#authenticatorData(USER_PRESENT | USER_VERIFIED | HAS_KEY, more);
    const head = `a3${word('fmt')}${word('none')}${word('attStmt')}a0${word('authData')}58`;
    return Buffer.concat([Buffer.from(head, 'hex'), Buffer.from([data.length]), data]);
  }
}

function hex(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('hex');
}

/** A short text in CBOR. */
function word(text: string): string {
  return (0x60 + text.length).toString(16) + Buffer.from(text).toString('hex');
}

function sha256(data: Buffer | string): Buffer {
  return createHash('sha256').update(data).digest();
}
