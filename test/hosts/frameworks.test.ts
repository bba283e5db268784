import { expect } from 'chai';
import { BrowserVisitor } from '../support/visitors.ts';
import { testHost, useHost } from './host-behaviour.ts';
import { HOSTS, pathsIn, startHost } from './hosts.ts';

for (const [name, start] of Object.entries(HOSTS)) {
  for (const path of pathsIn(name)) {
    describe(`the provider at ${path} of an app in ${name}`, () => {
      const host = useHost(() => startHost(start, path));
      testHost(name, path, host);
    });
  }

  describe(`an app in ${name} that stops`, () => {
    const host = useHost(() => startHost(start, '/oidc'));

    it('ends its event streams first', async () => {
      const browser = new BrowserVisitor(host());
      await browser.start();
      const events = await browser.events();
      await events.ticket('waiting');
      await host().stop();
      expect(await events.block()).to.match(/^retry: \d+$/);
      expect(await events.block()).to.equal(undefined);
    });
  });
}
