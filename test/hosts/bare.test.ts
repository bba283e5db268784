import { BARE_SERVERS, startBare } from './bare.ts';
import { testHost, useHost } from './host-behaviour.ts';

for (const name of Object.keys(BARE_SERVERS)) {
  describe(`the provider at /oidc of a server of ${name}`, () => {
    const host = useHost(() => startBare(name, '/oidc'));
    testHost(name, '/oidc', host);
  });
}
