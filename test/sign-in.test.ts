import { expect } from 'chai';
import { BrowserPerson, PhonePerson, World } from './support/world.ts';

describe('signing in with a QR code', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world.stop());

  it('ends in an ordinary ID token', async () => {
    const browser = new BrowserPerson(world);
    const phone = await new PhonePerson(world).signIn('alice');
    await browser.start();

    await phone.scan(await browser.code());
    expect((await browser.ticket()).state).to.equal('scanned');
    expect((await phone.approve()).json().state).to.equal('approved');
    const tokens = await browser.tokens(await browser.arrive());

    const claims = tokens.claims();
    expect(claims).to.include({ iss: world.issuer, sub: 'a11ce', acr: 'urn:example:acr:password' });
    expect(claims?.amr).to.have.members(['pwd', 'mca', 'user']);
    expect(claims?.auth_time).to.be.a('number');
  });
});
