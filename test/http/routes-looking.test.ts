import { expect } from 'chai';
import { PhonePerson, World } from '../support/world.ts';

describe('a request that only reads', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const NAMES = ['shown', 'scanned', 'approved', 'denied', 'cancelled', 'finished'].map((name) => `qr_login.${name}`);

  for (const method of ['HEAD', 'GET']) {
    it(`with ${method} changes nothing in any state`, async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const look = async (): Promise<void> => {
        const counts = NAMES.map((name) => world.count(name));
        const { expiresIn: _before, qr: _qr, ...before } = await browser.ticket();
        // After the sign-in, the page of the browser redirects.
        const expected = before.state === 'redeemed' ? 303 : 200;
        expect((await browser.agent.send(browser.at, { method })).status).to.equal(expected);
        expect((await browser.agent.send(`${browser.at}/qr`, { method })).status).to.equal(200);
        expect((await phone.agent.send(code, { method })).status).to.equal(200);
        if (phone.at !== '') expect((await phone.agent.send(phone.at, { method })).status).to.equal(200);
        const { expiresIn: _after, qr: _code, ...after } = await browser.ticket();
        expect(after).to.deep.equal(before);
        expect(counts.map((count) => count())).to.deep.equal(NAMES.map(() => 0));
      };
      await look();
      await phone.scan(code);
      await look();
      await phone.approve();
      await look();
      await browser.finish();
      await look();
    });
  }

  it('with HEAD shows no code, and creates no ticket', async () => {
    const { browser } = await world.meet();
    world.clock.forward(121);
    const shown = world.count('qr_login.shown');
    const answer = await browser.agent.send(browser.at, { method: 'HEAD' });
    expect(answer.status).to.equal(200);
    expect(answer.text).to.equal('');
    expect(shown()).to.equal(0);
    expect((await browser.ticket()).state).to.equal('expired');
  });

  it('with HEAD at the event stream gets an answer that ends', async () => {
    const { browser } = await world.meet();
    const [first] = await Promise.all([
      world.untilAnswered(`/interaction/${browser.uid}/qr/events`),
      browser.agent.send(`${browser.at}/qr/events`, { method: 'HEAD' }),
    ]);
    expect(first).to.equal('HEAD');
  });

  it('with HEAD does not extend the lifetime of a code for another phone', async () => {
    const { browser } = await world.meet();
    const code = await browser.code();
    const preview = new PhonePerson(world);
    await preview.agent.send(code, { method: 'HEAD' });
    world.clock.forward(60);
    expect((await (await new PhonePerson(world).signIn()).land(code)).status).to.equal(404);
  });
});
