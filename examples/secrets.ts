/** Makes and loads the example's keys. They are in a local file, so that sessions survive a restart. */
import { createECDH, createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JWK } from 'oidc-provider';
import type { Vapid } from '../src/index.ts';

const SECRETS_FILE = process.env.SECRETS_FILE ?? fileURLToPath(new URL('../.data/secrets.json', import.meta.url));

export interface Secrets {
  readonly cookieKeys: string[];
  readonly jwks: { readonly keys: JWK[] };
  /** The client secret of the demo RP. */
  readonly rpSecret: string;
}

export function makeSecrets(): Secrets {
  const generated = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  // Node 20 can hang for good when it exports a generated key as a JWK: if garbage collection runs during the export,
  // the destructor of the key generation waits for a lock that the export holds. An imported key has a lock of its own.
  const privateKey = createPrivateKey(generated.privateKey);
  return {
    cookieKeys: [randomBytes(32).toString('base64url')],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' } as JWK] },
    rpSecret: randomBytes(32).toString('base64url'),
  };
}

/** Makes the keys for Web Push. A deployment keeps them: phones that have subscribed with other keys get no messages. */
export function makeVapid(): Vapid {
  const pair = createECDH('prime256v1');
  const publicKey = pair.generateKeys('base64url');
  return { subject: 'mailto:operator@example.com', publicKey, privateKey: pair.getPrivateKey('base64url') };
}

/**
 * Loads the keys, and makes them if the file does not exist. If several processes start at once, all use the same keys.
 */
export function loadSecrets(file: string = SECRETS_FILE): Secrets {
  if (!existsSync(file)) saveSecrets(file, makeSecrets());
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Writes the file by a hard link, which appears with its whole content and never replaces an existing file. */
function saveSecrets(file: string, secrets: Secrets): void {
  const draft = `${file}.${randomUUID()}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(draft, JSON.stringify(secrets), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    unlinkSync(draft);
  }
}
