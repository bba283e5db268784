import { expect } from 'chai';
import { AppPerson } from '../../support/app.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('the list of browsers in the API', () => {
  it('shows an app the signed-in browsers, which it can sign out', async () => {
    await World.during({}, async (world) => {
      const app = await new AppPerson(world).signIn();
      const browsers = [new BrowserPerson(world), new BrowserPerson(world)];
      for (const browser of browsers) {
        await browser.start();
        await app.scan(await browser.code());
        await app.approve({ remember: true });
        await browser.arrive();
      }
      const list = async (): Promise<Record<string, unknown>[]> => {
        const { browsers: all } = (await app.request('GET', '/qr/api/browsers')).json();
        return (all as Record<string, unknown>[]).filter(({ isHere }) => !isHere);
      };
      const [first, ...others] = await list();
      expect(others).to.have.length(1);
      const ends = ['signedInBy', 'endsIn', 'isHere'];
      expect(first).to.have.all.keys('id', 'name', 'system', 'signedInAgo', 'lastUsedAgo', 'clients', ...ends);
      expect(first?.clients).to.deep.equal([{ id: 'test-rp', name: 'Test app', hosts: ['rp.localhost:9'] }]);
      const stranger = await new AppPerson(world).signIn('bob');
      expect((await stranger.request('DELETE', `/qr/api/browsers/${first?.id}`)).status).to.equal(404);
      expect((await app.request('DELETE', `/qr/api/browsers/${first?.id}`)).status).to.equal(204);
      expect(await list()).to.have.length(1);
      expect((await app.request('DELETE', '/qr/api/browsers')).status).to.equal(204);
      expect(await list()).to.deep.equal([]);
      const known = (await new PhonePerson(world).signIn()).agent.get(`${world.issuer}/qr/devices`, {
        headers: { accept: 'application/json' },
      });
      expect((await known).json().known).to.deep.equal([]);
    });
  });
});
