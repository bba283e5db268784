import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';

const CURVE = 'prime256v1';
/** The length of an uncompressed point of the curve P-256, in bytes. */
const PUBLIC_KEY_LENGTH = 65;
/** The length of the secret that a browser shares with its sender, in bytes (RFC 8291, section 3.2). */
export const AUTH_LENGTH = 16;
/** The size of a record in bytes (RFC 8188, section 2.1). Each message is one record. */
const RECORD_SIZE = 4096;
/** Each message is padded to this many bytes, so that its length tells nothing. */
const PADDED_LENGTH = 256;
/** The byte that ends the text of the last record (RFC 8188, section 2). */
const LAST_RECORD = 2;
const SALT_LENGTH = 16;
const KEY_LENGTH = 16;
const NONCE_LENGTH = 12;

/** The keys of a subscription, as the browser has made them. */
export interface SubscriptionKeys {
  /** Its public key: an uncompressed point of the curve P-256. */
  readonly p256dh: Buffer;
  readonly auth: Buffer;
}

/**
 * Encrypts a message for a browser (RFC 8291), in one record of `aes128gcm` (RFC 8188).
 * @throws RangeError if the text is longer than a message may be; Error if the browser's key is no point of the curve
 */
export function encryptMessage(text: string, { p256dh, auth }: SubscriptionKeys): Buffer {
  const plain = Buffer.from(text);
  if (plain.length >= PADDED_LENGTH) throw new RangeError('the message is too long');
  const sender = createECDH(CURVE);
  const senderKey = sender.generateKeys();
  // RFC 8291, section 3.4.
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, senderKey]);
  const keying = derive(sender.computeSecret(p256dh), auth, info, 32);
  const salt = randomBytes(SALT_LENGTH);
  const key = derive(keying, salt, Buffer.from('Content-Encoding: aes128gcm\0'), KEY_LENGTH);
  const nonce = derive(keying, salt, Buffer.from('Content-Encoding: nonce\0'), NONCE_LENGTH);
  const padded = Buffer.alloc(PADDED_LENGTH);
  plain.copy(padded);
  padded[plain.length] = LAST_RECORD;
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const sizes = Buffer.alloc(5);
  sizes.writeUInt32BE(RECORD_SIZE, 0);
  sizes.writeUInt8(senderKey.length, 4);
  return Buffer.concat([salt, sizes, senderKey, cipher.update(padded), cipher.final(), cipher.getAuthTag()]);
}

/** Returns true if the bytes are a point of the curve P-256. */
export function isPublicKey(bytes: Buffer): boolean {
  if (bytes.length !== PUBLIC_KEY_LENGTH) return false;
  try {
    const any = createECDH(CURVE);
    any.generateKeys();
    any.computeSecret(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Returns true if this is the public key of the private key. */
export function isKeyPair(publicKey: Buffer, privateKey: Buffer): boolean {
  try {
    const pair = createECDH(CURVE);
    pair.setPrivateKey(privateKey);
    return pair.getPublicKey().equals(publicKey);
  } catch {
    return false;
  }
}

/** HKDF with SHA-256 (RFC 5869). */
function derive(secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length));
}
