/** Lets the example provider send requests to its own RPs. */
import type { ClientMetadata, Configuration } from 'oidc-provider';

type Fetch = NonNullable<Configuration['fetch']>;

/**
 * Returns a `fetch` that can reach the example's own RPs at private addresses. oidc-provider sends no requests to
 * addresses of this host or network, because a client could register any address (SSRF). The operator of the example
 * has configured these RPs, so their addresses are exempt, and no others.
 * @param send sends the requests to these RPs; the global `fetch` by default
 */
export function reachOwn(clients: readonly ClientMetadata[], send: typeof fetch = fetch): Fetch {
  const own = new Set(clients.flatMap(({ backchannel_logout_uri: uri }) => uri ?? []));
  return (url, init = {}) => {
    if (!own.has(String(url))) return fetch(url, init);
    // oidc-provider's dispatcher blocks private addresses.
    const { dispatcher: _guard, ...plain } = init as RequestInit & { dispatcher?: unknown };
    return send(url, plain);
  };
}
