/** The example's keys, kept in a local file so that a restart signs nobody out. */
import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JWK } from 'oidc-provider';

const SECRETS_FILE = process.env.SECRETS_FILE ?? fileURLToPath(new URL('../.data/secrets.json', import.meta.url));

export interface Secrets {
  readonly cookieKeys: string[];
  readonly jwks: { readonly keys: JWK[] };
  /** What the demo RP proves itself with. */
  readonly rpSecret: string;
}

export function makeSecrets(): Secrets {
  const generated = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  // Node 20 can hang for good when it exports a generated key as a JWK: if garbage collection runs during the export, the destructor of
  // the key generation waits for a lock that the export holds. A key that was imported has a lock of its own.
  const privateKey = createPrivateKey(generated.privateKey);
  return {
    cookieKeys: [randomBytes(32).toString('base64url')],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' } as JWK] },
    rpSecret: randomBytes(32).toString('base64url'),
  };
}

/** Made where there are none yet; where several processes start at once, one of them makes them for all. */
export function loadSecrets(file: string = SECRETS_FILE): Secrets {
  if (!existsSync(file)) keepSecrets(file, makeSecrets());
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** A link appears whole, and never takes the place of a file that is there. */
function keepSecrets(file: string, secrets: Secrets): void {
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
