import { expect } from 'chai';
import { BrowserPerson, World } from '../../support/world.ts';

const THREE = { qrLogin: { limits: { address: { start: 3 } } } };

describe('the limit of authorization requests', () => {
  it('answers 429 with Retry-After, as a page, before the request is stored', async () => {
    await World.during(THREE, async (world) => {
      const created: unknown[] = [];
      world.provider.on('interaction.started', () => created.push(1));
      for (let count = 0; count < 3; count++) expect((await new BrowserPerson(world).start()).status).to.equal(200);
      const refused = await new BrowserPerson(world).start();
      expect(refused.status).to.equal(429);
      expect(refused.headers.get('retry-after')).to.match(/^[1-9]\d*$/);
      expect(refused.text).to.include('data-error="too_many_requests"');
      expect(created).to.have.length(3);
    });
  });

  it('does not count requests that end without an interaction', async () => {
    await World.during(THREE, async (world) => {
      for (let count = 0; count < 9; count++) {
        const answer = await new BrowserPerson(world).start({ prompt: 'none' });
        expect(new URL(answer.location).searchParams.get('error')).to.equal('login_required');
      }
      expect((await new BrowserPerson(world).start()).status).to.equal(200);
    });
  });
});
