import { behavesLikeAHost, useHost } from '../support/host-behaviour.ts';
import { HOSTS, PATHS, startHost } from '../support/hosts.ts';

for (const [name, start] of Object.entries(HOSTS)) {
  for (const path of PATHS) {
    describe(`the provider at ${path} of an app in ${name}`, () => {
      const host = useHost(() => startHost(start, path));
      behavesLikeAHost(name, path, host);
    });
  }
}
