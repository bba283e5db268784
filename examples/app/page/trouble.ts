/** Chooses the text for an error, and tells whether a sign-in helps. */
import { PhoneError } from 'oidc-provider-qr-login/phone';
import { SignedOut } from './account.ts';
import type { Texts } from './texts.ts';

/** Two sets of error codes of the library. All codes in one set mean the same to the user. */
const OFFLINE: ReadonlySet<string> = new Set(['network', 'timeout', 'wrong_answer']);
const FOREIGN: ReadonlySet<string> = new Set(['foreign_code', 'not_a_code']);

/** Returns true if the app has to sign in again: its grant was revoked, or the account is gone. */
export function needsSignIn(error: unknown): boolean {
  return error instanceof SignedOut || (error instanceof PhoneError && error.action === 'sign_in');
}

/** Returns true if there was no connection to the provider. */
export function isOffline(error: unknown): boolean {
  // A fetch without an answer is a TypeError.
  return error instanceof TypeError || (error instanceof PhoneError && OFFLINE.has(error.code));
}

/** Returns the text for an error in the language of the device. The provider's own text is for developers. */
export function textFor(error: unknown, { t, has }: Pick<Texts, 't' | 'has'>): string {
  if (isOffline(error)) return t('app.offline.text');
  if (!(error instanceof PhoneError)) return t('error.server_error');
  if (FOREIGN.has(error.code)) return t('scan.foreign');
  if (error.code === 'too_many_requests') return t('error.too_many_requests', { count: error.retryAfter ?? 1 });
  const known = [`error.${error.code}.${error.reason ?? ''}`, `error.${error.code}`].find(has);
  return t(known ?? 'error.server_error');
}
