/** Checks of the provider and its configuration. Each throws a TypeError that says what to write. */
import type { Provider } from '../oidc/provider.ts';
import { kindOf } from '../stores/value-kind.ts';
import { MIN_SECRET_LENGTH } from './schema.ts';
import type { Settings } from './settings.ts';

/**
 * Ensures that this is a provider of a version that the plugin knows.
 * @throws TypeError if it is something else
 */
export function assertProvider(provider: unknown): asserts provider is Provider {
  if (!isObjectWith(provider, 'use') || !isObjectWith(provider, 'interactionDetails'))
    throw new TypeError(
      `attach() needs the provider itself, the result of new Provider(issuer, …), not its callback() or your app, but it got ${kindOf(provider)}: make the provider first, then call qr.attach(provider)`,
    );
  // Since version 9, a provider is itself the Koa app.
  if (!isObjectWith(provider, 'createContext')) {
    throw new TypeError(
      'this provider is of oidc-provider 8 or older, but the plugin needs oidc-provider 9: npm install oidc-provider@9',
    );
  }
}

function isObjectWith(value: unknown, method: string): value is object {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';
}

/**
 * Ensures that the development interactions are off. They would silently replace `interactions.url` by the provider's
 * own pages.
 * @throws TypeError if they are on
 */
export function assertNoDevInteractions(provider: Provider): void {
  try {
    provider.urlFor('interaction', { uid: 'any' });
  } catch {
    // The route does not exist, so they are off.
    return;
  }
  throw new TypeError(
    "oidc-provider's development pages would replace the QR page: set features.devInteractions.enabled to false in the configuration of the provider",
  );
}

/**
 * Returns the keys to sign with: the option `secrets`, or else the provider's `cookies.keys`. The provider must sign
 * its cookies in any case: otherwise a client that knows an interaction's uid could finish it.
 * @throws TypeError if the provider does not sign its cookies, or if its keys cannot be used
 */
export function secretsOf(provider: Provider, { secrets }: Settings): readonly string[] {
  const keys: unknown = provider.keys;
  if (keys === undefined || (Array.isArray(keys) && keys.length === 0)) {
    throw new TypeError(
      'the provider must sign its cookies: set cookies.keys in its configuration, for example to [process.env.COOKIE_KEY]; make one with: openssl rand -base64 32',
    );
  }
  if (Array.isArray(keys)) assertNoKeyIsMissing(keys);
  if (secrets !== undefined) return secrets;
  if (!Array.isArray(keys))
    throw new TypeError('cookies.keys is not a list of texts: give qrLogin the option "secrets"');
  const unfit = keys.findIndex((key) => typeof key !== 'string' || key.length < MIN_SECRET_LENGTH);
  if (unfit === -1) return keys;
  throw new TypeError(
    `cookies.keys[${unfit}] of the provider must be a text of at least ${MIN_SECRET_LENGTH} characters to sign codes with, but is ${keyKindOf(keys[unfit])}: replace it, or keep it and give qrLogin the option "secrets", for example secrets: [process.env.CODE_KEY]; make one with: openssl rand -base64 32`,
  );
}

/** Ensures that no key is absent. @throws TypeError if one is: an absent key does not sign */
function assertNoKeyIsMissing(keys: readonly unknown[]): void {
  const missing = keys.findIndex((key) => key === undefined || key === null || key === '');
  if (missing === -1) return;
  throw new TypeError(
    `cookies.keys[${missing}] of the provider is ${keyKindOf(keys[missing])}: set the environment variable or the file that it is read from; make a key with: openssl rand -base64 32`,
  );
}

function keyKindOf(key: unknown): string {
  if (key === '') return 'empty';
  return typeof key === 'string' ? `a text of ${key.length}` : kindOf(key);
}
