/** Simulates an authenticator (WebAuthn Level 3, sections 6.1 and 6.5), which can also give wrong answers. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import type { Answer } from '../../support/agent.ts';
import type { BrowserVisitor, PhoneVisitor } from '../../support/visitors.ts';

type Visitor = BrowserVisitor | PhoneVisitor;

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_KEY = 0x40;

/** The parts of an answer that are wrong. */
export interface Fault {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly counter?: number;
  readonly isUserVerified?: boolean;
  /** The id of the account that the answer names as the owner. If it is empty, the answer names no owner. */
  readonly owner?: string;
  readonly signedBy?: KeyObject;
}

export class Authenticator {
  readonly id: string = randomBytes(16).toString('base64url');
  readonly publicKey: KeyObject;
  /** The id of the account for which it is registered, or empty. */
  owner = '';
  counter = 0;
  /** False for a passkey that is synced between devices: its counter stays at 0. */
  isCounting = true;
  readonly #privateKey: KeyObject;
  readonly #origin: string;

  constructor(issuer: string) {
    const generated = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    // The keys are imported, because Node 20 can hang when it exports a generated key as a JWK (see `makeSecrets`).
    this.publicKey = createPublicKey(generated.publicKey);
    this.#privateKey = createPrivateKey(generated.privateKey);
    this.#origin = new URL(issuer).origin;
    REGISTERED.set(this.id, this);
  }

  /** Registers for the account that is signed in in this browser, with the requests of the example's account page. */
  async register(visitor: Visitor): Promise<this> {
    const answer = await this.enrol(visitor);
    if (answer.status !== 200) throw new Error(`the passkey is not accepted: ${answer.status} ${answer.text}`);
    return this;
  }

  /** Tries to register in this browser. @param id another id than this passkey's own */
  async enrol(visitor: Visitor, id: string = this.id): Promise<Answer> {
    const at = `${visitor.site.issuer}/account/passkeys`;
    const asked = await visitor.post(`${at}/options`, {});
    if (asked.status !== 200) return asked;
    const { challenge, user } = asked.json() as { challenge: string; user: { id: string } };
    const answer = await visitor.post(at, this.#registration(challenge, id));
    if (answer.status === 200) this.owner = `${Buffer.from(user.id, 'base64url')}`;
    return answer;
  }

  /** Creates the passkey. @returns the answer that the page would send, as JSON */
  create(challenge: string, owner: string): string {
    this.owner = owner;
    return JSON.stringify(this.#registration(challenge, this.id));
  }

  #registration(challenge: string, id: string): object {
    const { x = '', y = '' } = this.publicKey.export({ format: 'jwk' });
    const key = Buffer.concat([
      ...[Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url')],
      ...[Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url')],
    ]);
    const rawId = Buffer.from(id, 'base64url');
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, rawId.length]), rawId, key]);
    const data = this.#data({}, HAS_KEY, credential);
    const attestationObject = Buffer.concat([
      Buffer.from([
        0xa3,
        ...text('fmt'),
        ...text('none'),
        ...text('attStmt'),
        0xa0,
        ...text('authData'),
        0x58,
        data.length,
      ]),
      data,
    ]);
    const response = {
      clientDataJSON: this.#clientData(challenge, { type: 'webauthn.create' }).toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
    };
    return this.#credential(response, id);
  }

  /** Answers a challenge. @returns the proof that the page would send */
  answer(challenge: string, fault: Fault = {}): string {
    if (this.isCounting) this.counter += 1;
    const clientData = this.#clientData(challenge, fault);
    const data = this.#data(fault);
    const { owner = this.owner } = fault;
    const signed = Buffer.concat([data, sha256(clientData)]);
    const response = {
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: sign('sha256', signed, fault.signedBy ?? this.#privateKey).toString('base64url'),
      ...(owner !== '' && { userHandle: Buffer.from(owner).toString('base64url') }),
    };
    return JSON.stringify(this.#credential(response));
  }

  #credential(response: object, id: string = this.id): object {
    return { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} };
  }

  #clientData(challenge: string, { type = 'webauthn.get', origin = this.#origin }: Fault): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  #data({ rpId, isUserVerified = true, counter }: Fault, more = 0, rest: Buffer = Buffer.alloc(0)): Buffer {
    const flags = USER_PRESENT | (isUserVerified ? USER_VERIFIED : 0) | more;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter ?? this.counter);
    return Buffer.concat([sha256(rpId ?? new URL(this.#origin).hostname), Buffer.from([flags]), count, rest]);
  }
}

/** All authenticators by their id. The test servers that check less than ours (`lax.ts`) look passkeys up here. */
export const REGISTERED: Map<string, Authenticator> = new Map();

export function sha256(data: Buffer | string): Buffer {
  return createHash('sha256').update(data).digest();
}

/** Encodes a short text in CBOR (RFC 8949, section 3.1). */
function text(value: string): number[] {
  return [0x60 + value.length, ...Buffer.from(value)];
}
