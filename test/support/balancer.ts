/** Variants of `fetch` that act as a proxy: they pass requests for the issuer's origin on to a node. */

export interface Upstream {
  readonly origin: string;
}

type Network = typeof fetch;

/**
 * Returns a `fetch` that sends requests for the issuer's origin to one node. No server needs to listen at the issuer's
 * origin. Each request uses a new connection, as with nginx by default.
 */
export function networkTo({ origin }: Upstream, issuer: string): Network {
  const { origin: outside, host, protocol } = new URL(issuer);
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== outside) return fetch(input, init);
    if (input instanceof Request) throw new Error('pass a URL and an init object, not a Request');
    const headers = new Headers(init.headers);
    headers.set('connection', 'close');
    headers.set('x-forwarded-host', host);
    headers.set('x-forwarded-proto', protocol.slice(0, -1));
    // A test can set this header itself to appear at another address.
    if (!headers.has('x-forwarded-for')) headers.set('x-forwarded-for', '127.0.0.1');
    return fetch(new URL(url.pathname + url.search, origin), { ...init, headers });
  };
}

/**
 * Returns a `fetch` that sends each request to the next node. If that node refuses the connection, the request is sent
 * to the following one. A GET or HEAD request is also sent on if the connection breaks before the answer.
 */
export function roundRobin(networks: readonly Network[]): Network {
  let turn = 0;
  return async (input, init) => {
    const first = turn++;
    const repeatable = /^(GET|HEAD)$/i.test(init?.method ?? 'GET');
    let problem: unknown = new Error('there are no nodes');
    for (let tried = 0; tried < networks.length; tried++) {
      const network = networks[(first + tried) % networks.length];
      try {
        if (network) return await network(input, init);
      } catch (error) {
        if (!canTryNext(error, repeatable)) throw error;
        problem = error;
      }
    }
    throw problem;
  };
}

function canTryNext(error: unknown, repeatable: boolean): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return false;
  return cause.code === 'ECONNREFUSED' || (repeatable && /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(`${cause.code}`));
}
