/** What a provider must be configured like: each throws a TypeError that says what to write. */
import type { Provider } from '../oidc/provider.ts';
import { checkSecrets, type Settings } from './settings.ts';

/** They would put the provider's own pages in the place of `interactions.url`, silently. */
export function assertNoDevInteractions(provider: Provider): void {
  try {
    provider.urlFor('interaction', { uid: 'any' });
  } catch {
    // There is no such route: they are off, as it should be.
    return;
  }
  throw new TypeError('set features.devInteractions.enabled to false in the configuration of the provider');
}

/** Without signed cookies, whoever knows an interaction's uid could finish it. */
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
