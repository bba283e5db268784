/** A public key as a JWK (RFC 7517). Only the members of the public key are sent, even if there are others. */
export interface PublicJwk {
  readonly kty: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/**
 * The key that the access token is bound to (DPoP, RFC 9449). The app must have got its token with a proof of the same
 * key. The private key may stay where it is: in the Secure Enclave, in the Android Keystore or in WebCrypto.
 */
export interface Signer {
  readonly publicJwk: PublicJwk;
  /** The JWS algorithm (RFC 7518, section 3.1). `ES256` by default. */
  readonly alg?: string;
  /**
   * Signs bytes. For ES256 the result is the 64 bytes of r and s (RFC 7518, section 3.4). The Secure Enclave and the
   * Android Keystore return DER instead: see {@link rawSignature}. An error that it throws, for example because the
   * user refused the biometric check, is passed on to the caller unchanged.
   */
  sign(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array;
}

/** A key pair of WebCrypto: a `CryptoKeyPair`. IndexedDB can keep it, without its private key leaving the browser. */
export interface WebCryptoKeys {
  readonly publicKey: object;
  readonly privateKey: object;
}

/** A private key as a JWK, for programs that keep their key in a file or in a secret store. */
export interface PrivateJwk extends PublicJwk {
  readonly d: string;
}

/** A signer whose private key the program can read. */
export interface MemorySigner extends Signer {
  readonly privateJwk: PrivateJwk;
}

/** The part of `crypto.subtle` that the signers use. */
export interface SubtleSigning {
  generateKey(algorithm: typeof P256, extractable: boolean, usages: ['sign', 'verify']): Promise<unknown>;
  exportKey(format: 'jwk', key: never): Promise<unknown>;
  importKey(
    format: 'jwk',
    jwk: never,
    algorithm: typeof P256,
    extractable: boolean,
    usages: ['sign'],
  ): Promise<unknown>;
  sign(algorithm: typeof ES256, key: never, bytes: never): Promise<ArrayBuffer>;
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const ES256 = { name: 'ECDSA', hash: 'SHA-256' } as const;

/**
 * Generates a key pair for ES256 whose private key cannot be exported, not even by an attacker's script in the page.
 * @param subtle `crypto.subtle` by default. React Native has none: pass that of a polyfill, or write a {@link Signer}.
 * @throws TypeError if there is no WebCrypto; browsers have it under https and on localhost only
 */
export async function generateKeys(subtle: SubtleSigning = webCrypto()): Promise<WebCryptoKeys> {
  return subtle.generateKey(P256, false, ['sign', 'verify']) as Promise<WebCryptoKeys>;
}

/**
 * Returns a signer for a key pair of WebCrypto: one of {@link generateKeys}, or any other for ECDSA on P-256.
 * @throws TypeError if there is no WebCrypto
 */
export async function webCryptoSigner(
  { publicKey, privateKey }: WebCryptoKeys,
  subtle: SubtleSigning = webCrypto(),
): Promise<Signer> {
  return signerOf((await subtle.exportKey('jwk', publicKey as never)) as PublicJwk, privateKey, subtle);
}

/**
 * Returns a signer whose private key is in the memory of the program: for command-line tools, servers and tests.
 * @param jwk the private key of an earlier run, for ES256; a new one by default
 * @throws TypeError if there is no WebCrypto
 */
export async function memorySigner(jwk?: PrivateJwk, subtle: SubtleSigning = webCrypto()): Promise<MemorySigner> {
  const privateJwk = jwk ?? (await generateJwk(subtle));
  const privateKey = await subtle.importKey('jwk', privateJwk as never, P256, true, ['sign']);
  const { kty, crv, x, y } = privateJwk as Required<PrivateJwk>;
  return { ...signerOf({ kty, crv, x, y }, privateKey, subtle), privateJwk };
}

async function generateJwk(subtle: SubtleSigning): Promise<PrivateJwk> {
  const { privateKey } = (await subtle.generateKey(P256, true, ['sign', 'verify'])) as WebCryptoKeys;
  return subtle.exportKey('jwk', privateKey as never) as Promise<PrivateJwk>;
}

function signerOf(publicJwk: PublicJwk, privateKey: unknown, subtle: SubtleSigning): Signer {
  const sign: Signer['sign'] = async (bytes) =>
    new Uint8Array(await subtle.sign(ES256, privateKey as never, bytes as never));
  return { publicJwk, sign };
}

/**
 * Converts an ES256 signature from DER (RFC 3279, section 2.2.3), which the Secure Enclave and the Android Keystore
 * produce, to the 64 bytes of r and s (RFC 7518, section 3.4).
 * @throws RangeError if the bytes are not such a signature
 */
export function rawSignature(der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    if (der[at] !== 2) throw new RangeError('no DER signature');
    const next = at + 2 + (der[at + 1] ?? 0);
    // DER puts a zero byte in front of a number whose top bit is set, because it would be negative otherwise.
    const digits = der.slice(at + 2, next).slice(-32);
    raw.set(digits, end - digits.length);
    at = next;
  }
  return raw;
}

function webCrypto(): SubtleSigning {
  const subtle = (globalThis as { crypto?: { subtle?: unknown } }).crypto?.subtle as SubtleSigning | undefined;
  if (!subtle) throw new TypeError('no WebCrypto: use https');
  return subtle;
}
