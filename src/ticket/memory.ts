import { randomBytes } from 'node:crypto';
import { matches, type SecretKeys } from './secret-keys.ts';
import type { BrowserMemory } from './ticket.ts';

/** The limit of accounts that a browser remembers: a shared computer need not remember all of them. */
const MAX_PROOFS = 5;

/** Returns true if this account was signed in to this browser by QR before. */
export function remembers(keys: SecretKeys, memory: BrowserMemory | undefined, accountId: string): boolean {
  if (memory === undefined) return false;
  const expected = keys.candidates('known browser', memory.browserId, accountId).map(encode);
  return memory.proofs.some((proof) => matches(expected, proof));
}

/**
 * Returns the browser's memory with this account added. The account that signed in longest ago is dropped above the
 * limit.
 */
export function remember(keys: SecretKeys, memory: BrowserMemory | undefined, accountId: string): BrowserMemory {
  const browserId = memory?.browserId ?? randomBytes(16).toString('base64url');
  const proof = encode(keys.mac('known browser', browserId, accountId));
  const others = (memory?.proofs ?? []).filter((other) => other !== proof);
  return { browserId, proofs: [proof, ...others].slice(0, MAX_PROOFS) };
}

export function formatMemory({ browserId, proofs }: BrowserMemory): string {
  return [browserId, ...proofs].join('.');
}

export function parseMemory(text: string): BrowserMemory | undefined {
  const [browserId, ...proofs] = text.split('.');
  if (browserId === undefined || proofs.length === 0) return undefined;
  return { browserId, proofs: proofs.slice(0, MAX_PROOFS) };
}

function encode(mac: Buffer): string {
  return mac.toString('base64url');
}
