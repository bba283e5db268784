import { expect } from 'chai';
import { World } from '../../support/world.ts';

describe('the page of a ticket on the phone', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  it('shows that the browser is signed in', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    await browser.finish();
    expect((await phone.look()).json().state).to.equal('redeemed');
    expect((await phone.agent.follow(phone.at)).text).to.include('Signed in');
  });
});
