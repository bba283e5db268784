import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { ID_LENGTH } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('on the phone,', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock() });
  });

  after(() => world?.stop());

  const showCode = async (): Promise<BrowserPerson> => {
    const browser = new BrowserPerson(world);
    await browser.start();
    return browser;
  };

  describe('the URL in the code', () => {
    it('leads a phone that is signed in to a page with a button', async () => {
      const { browser, phone } = await world.meet();
      const page = await phone.agent.get(await browser.code(), { headers: { accept: 'text/html' } });
      expect(page.status).to.equal(200);
      expect(page.text)
        .to.include('<form method="post" data-scan>')
        .and.to.match(/name="csrf" value="[\w-]{43}"/);
      expect((await browser.ticket()).state).to.equal('waiting');
    });

    it('returns JSON with the account and a CSRF token if the phone asks for JSON', async () => {
      const { browser, phone } = await world.meet();
      const answer = await phone.land(await browser.code());
      expect(answer.json()).to.have.all.keys('account', 'csrf');
      expect(answer.json().account).to.equal('Alice Liddell');
    });

    it('sends a phone that is not signed in to the sign-in page and back', async () => {
      const browser = await showCode();
      const code = await browser.code();
      const phone = new PhonePerson(world);
      const first = await phone.agent.get(code);
      expect(first.status).to.equal(303);
      expect(first.location.startsWith(`${world.issuer}/auth?`)).to.equal(true);
      const back = await phone.signInAt(code, 'bob');
      expect(back.url.href).to.equal(code);
      expect((await phone.scan(code)).status).to.equal(200);
      expect((await phone.look()).json().account).to.equal('Bob Sawyer');
    });

    it('answers a program that is not signed in with 401', async () => {
      const browser = await showCode();
      const answer = await new PhonePerson(world).land(await browser.code());
      expect(answer.status).to.equal(401);
      expect(answer.json().error).to.equal('not_signed_in');
    });

    it('is still valid if the sign-in on the phone takes longer than the lifetime of the code', async () => {
      const browser = await showCode();
      const code = await browser.code();
      const phone = new PhonePerson(world);
      const page = await phone.agent.follow(code);
      world.clock.forward(60);
      const form = { name: 'alice', password: 'wonderland' };
      const signedIn = await phone.agent.post(page.url, { form });
      const back = await phone.agent.follow(new URL(signedIn.location, page.url));
      expect(back.url.href).to.equal(code);
      expect(back.status).to.equal(200);
      expect((await phone.scan(code)).status).to.equal(200);
    });

    it('stays valid after rotation only for a phone that opened it while it was fresh', async () => {
      const browser = await showCode();
      const code = await browser.code();
      const phone = await new PhonePerson(world).signIn();
      await phone.land(code);
      world.clock.forward(60);
      const late = await new PhonePerson(world).signIn('bob');
      expect((await late.land(code)).status).to.equal(404);
      expect((await phone.land(code)).status).to.equal(200);
    });

    it('is valid as long as it is one of the last three codes', async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      world.clock.forward(20);
      expect((await phone.land(code)).status).to.equal(200);
      world.clock.forward(10);
      const other = await new PhonePerson(world).signIn('bob');
      expect((await other.land(code)).status).to.equal(404);
    });
  });

  describe('the scan', () => {
    it('answers with the URL of the ticket, as JSON or as a 303', async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const csrf = String((await phone.land(code)).json().csrf);
      const script = await phone.agent.post(code, { json: { csrf } });
      expect(script.json().redirectTo).to.match(new RegExp(`^/qr/tickets/[\\w-]{${ID_LENGTH}}$`));
      const form = await phone.agent.post(code, { form: { csrf }, headers: { accept: 'text/html' } });
      expect(form.status).to.equal(303);
      expect(form.location).to.equal(script.json().redirectTo);
    });

    it('can be repeated by the same phone, and counts once', async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const scanned = world.count('qr_login.scanned');
      await phone.scan(code);
      const { version } = await browser.ticket();
      expect((await phone.scan(code)).status).to.equal(200);
      expect((await browser.ticket()).version).to.equal(version);
      expect(scanned()).to.equal(1);
    });
  });
});
