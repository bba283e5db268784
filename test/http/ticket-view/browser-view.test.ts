import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { BrowserPerson, World } from '../../support/world.ts';

const DRAWN = ['url', 'svg', 'rotatesIn'];
const UNDRAWN = ['url', 'rotatesIn'];

/** The requests with a code in the answer. Each can have a query. */
const ASKING: Record<string, (browser: BrowserPerson, query: string) => Promise<Answer>> = {
  'GET qr': ({ agent, at }, query) => agent.get(`${at}/qr?${query}`),
  'GET qr with "after"': ({ agent, at }, query) => agent.get(`${at}/qr?after=7&${query}`),
  'POST qr/renew': ({ agent, at }, query) => agent.post(`${at}/qr/renew?${query}`, { json: {} }),
};

describe('a browser that draws the code itself', () => {
  let world: World;
  let browser: BrowserPerson;

  before(async () => {
    world = await World.start();
  });

  beforeEach(async () => {
    browser = new BrowserPerson(world);
    await browser.start();
  });

  after(() => world?.stop());

  for (const [name, ask] of Object.entries(ASKING)) {
    it(`gets no image from ${name} with "svg=no", and gets an image without it`, async () => {
      expect((await ask(browser, 'svg=no')).json().qr).to.have.all.keys(UNDRAWN);
      expect((await ask(browser, '')).json().qr).to.have.all.keys(DRAWN);
    });

    it(`gets a 400 from ${name} that explains "svg" if its value is invalid`, async () => {
      const before = await browser.ticket();
      for (const query of ['svg=yes', 'svg=', 'svg=no&svg=no']) {
        const answer = await ask(browser, query);
        expect(answer.status, query).to.equal(400);
        expect(answer.json()).to.deep.equal({
          error: 'invalid_request',
          error_description: '"svg" is "no" if you draw the code by yourself; otherwise leave it out.',
        });
      }
      expect((await browser.ticket()).version).to.equal(before.version);
    });
  }

  it('gets no image from the stream, neither with the first code nor with the next', async () => {
    const stream = await browser.agent.stream(`${browser.at}/qr/events?svg=no`);
    try {
      const { qr: first } = await stream.ticket('waiting');
      expect(first).to.have.all.keys(UNDRAWN);
      world.clock.forward(10);
      const { qr: next } = await stream.ticket('waiting');
      expect(next).to.have.all.keys(UNDRAWN);
      expect(next).not.to.have.property('url', (first as { url: string }).url);
    } finally {
      stream.close();
    }
  });

  it('gets a 400 instead of a stream if "svg" is invalid', async () => {
    const answer = await browser.agent.get(`${browser.at}/qr/events?svg=maybe`);
    expect(answer.status).to.equal(400);
    expect(answer.json().error).to.equal('invalid_request');
  });

  it('still gets an image in the page, before any script runs', async () => {
    expect((await browser.agent.get(`${browser.at}?svg=no`)).text).to.include('data-code><svg');
  });
});
