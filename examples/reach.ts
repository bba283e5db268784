/** How the example provider reaches its RPs. */
import type { ClientMetadata, Configuration } from 'oidc-provider';

type Reach = NonNullable<Configuration['fetch']>;

/**
 * oidc-provider sends nothing to addresses of this machine or this network, as whoever registers an RP could make it do that. The
 * example's own RPs are there, and its operator has said where: they are reached all the same, and nobody else.
 */
export function reachOwn(clients: readonly ClientMetadata[]): Reach {
  const own = new Set(clients.flatMap(({ backchannel_logout_uri: uri }) => uri ?? []));
  return (url, init = {}) => {
    if (!own.has(String(url))) return fetch(url, init);
    // The guard is the dispatcher.
    const { dispatcher: _guard, ...plain } = init as RequestInit & { dispatcher?: unknown };
    return fetch(url, plain);
  };
}
