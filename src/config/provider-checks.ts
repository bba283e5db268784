/** Checks of the provider's configuration. Each throws a TypeError that says what to write. */
import type { Provider } from '../oidc/provider.ts';
import { checkSecrets, type Settings } from './settings.ts';

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
  throw new TypeError('set features.devInteractions.enabled to false in the configuration of the provider');
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
  if (secrets !== undefined) return secrets;
  if (Array.isArray(keys)) return checkSecrets('cookies.keys', keys);
  throw new TypeError('cookies.keys is not a list of texts: give qrLogin the option "secrets"');
}
