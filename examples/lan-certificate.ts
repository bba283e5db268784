/**
 * Makes a self-signed certificate for `npm start -- --lan`, because phones give a page its camera only over https. The
 * certificate is made by openssl, which most systems have, and is kept, so that a phone warns about it only once.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, fetch as fetchOf } from 'undici';

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

const FOLDER = fileURLToPath(new URL('../.data/', import.meta.url));
const DAYS = 90;
/**
 * A certificate is replaced if it expires within this time, in seconds, because it must not expire while the example
 * runs.
 */
const RENEW_BEFORE_S = 7 * 24 * 3600;

/**
 * Returns the certificate for an address, and makes one if there is none that lasts another week.
 * @param folder the folder of the files; `.data` by default
 * @returns undefined if there is no openssl
 */
export function certificateFor(address: string, folder: string = FOLDER): Certificate | undefined {
  const [key, cert] = [`${folder}/lan-${address}.key`, `${folder}/lan-${address}.pem`];
  try {
    if (!existsSync(key) || !lasts(cert)) make(address, key, cert);
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } catch {
    return undefined;
  }
}

/**
 * Returns a `fetch` that trusts this certificate in addition to those of authorities, for the example's own requests.
 */
export function fetchTrusting({ cert }: Certificate): typeof fetch {
  const dispatcher = new Agent({ connect: { ca: cert } });
  const trusting = (url: string | URL, init: object = {}) => fetchOf(url, { ...init, dispatcher });
  return trusting as unknown as typeof fetch;
}

function make(address: string, key: string, cert: string): void {
  mkdirSync(dirname(key), { recursive: true });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  const names = ['-subj', '/CN=Example ID', '-addext', `subjectAltName=IP:${address},DNS:localhost`];
  openssl('req', '-x509', ...curve, '-days', `${DAYS}`, ...names, '-keyout', key, '-out', cert);
}

function lasts(cert: string): boolean {
  if (!existsSync(cert)) return false;
  try {
    openssl('x509', '-checkend', `${RENEW_BEFORE_S}`, '-noout', '-in', cert);
    return true;
  } catch {
    return false;
  }
}

/** Runs openssl. @throws Error if there is no openssl, or if it fails */
function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
