import { once } from 'node:events';
import { request } from 'node:http';
import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { World } from '../../support/world.ts';

describe('a ticket that the phone has scanned', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock() });
  });

  after(() => world?.stop());

  it('can be decided by JSON or by a form', async () => {
    const decisions = { approve: 'Approved', deny: 'Declined' };
    for (const [decision, title] of Object.entries(decisions)) {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      const form = await phone.agent.post(phone.at, {
        form: { csrf: phone.csrf, decision },
        headers: { accept: 'text/html' },
      });
      expect(form.status).to.equal(303);
      expect(new URL(form.location, phone.at).href).to.equal(phone.at);
      expect((await phone.agent.follow(phone.at)).text).to.include(`<h1>${title}</h1>`);
    }
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    expect((await phone.approve()).json()).to.include({ state: 'approved' });
  });

  it('is not decided by a session that ends before the whole body of the request has arrived', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const late = request(phone.at, {
      method: 'POST',
      headers: {
        cookie: await phone.agent.jar.getCookieString(phone.at),
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'transfer-encoding': 'chunked',
        expect: '100-continue',
      },
    });
    late.flushHeaders();
    // The provider waits for the body now.
    await once(late, 'continue');
    await phone.signOut();
    late.end(`decision=approve&csrf=${phone.csrf}`);
    const [answer] = await once(late, 'response');
    answer.resume();
    expect(answer.statusCode).to.equal(401);
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('expires if the phone does not decide in time', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    world.clock.forward(121);
    expect((await phone.approve()).status).to.equal(410);
    expect((await browser.ticket()).state).to.equal('expired');
  });
});
