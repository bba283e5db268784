import { expect } from 'chai';
import { AppPerson } from '../../support/app.ts';
import { ID_LENGTH } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('an app', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const meet = async (name: string = 'alice', parameters = {}): Promise<{ browser: BrowserPerson; app: AppPerson }> => {
    const browser = new BrowserPerson(world);
    const [app] = await Promise.all([new AppPerson(world).signIn(name), browser.start(parameters)]);
    return { browser, app };
  };

  it('signs a browser in: it scans, gets the details of the request, and approves', async () => {
    const { browser, app } = await meet();
    const scanned = await app.scan(await browser.code());
    expect(scanned.status, scanned.text).to.equal(201);
    expect(scanned.location).to.match(new RegExp(`^${world.issuer}/qr/api/tickets/[\\w-]{${ID_LENGTH}}$`));
    const { id, expiresIn, ...ticket } = scanned.json();
    expect(`${scanned.location}`.endsWith(`/${id}`)).to.equal(true);
    expect(expiresIn).to.be.within(100, 120);
    expect(ticket).to.deep.equal({
      version: 2,
      state: 'scanned',
      shownAgo: 0,
      client: { id: 'test-rp', name: 'Test app', host: 'rp.localhost:9' },
      browser: { name: 'Chrome', system: 'Windows' },
      scopes: [
        { name: 'openid', text: 'know who you are' },
        { name: 'profile', text: 'see your profile: name, picture and so on' },
      ],
      claims: [],
      resources: [],
      consent: false,
      account: { name: 'Alice Liddell' },
    });
    expect((await browser.ticket()).state).to.equal('scanned');
    const approved = await app.approve();
    expect(approved.status, approved.text).to.equal(200);
    expect(approved.json().state).to.equal('approved');
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
    expect((await app.look()).json().state).to.equal('finished');
  });

  it('can deny and report, but cannot declare itself unable if it can approve', async () => {
    const ends = { deny: 'person', report: 'report' };
    for (const [decision, reason] of Object.entries(ends)) {
      const { browser, app } = await meet('bob');
      await app.scan(await browser.code());
      const decided = await app.decide(decision);
      expect(decided.json()).to.include({ state: 'denied', reason });
      expect(decided.json()).not.to.have.any.keys('expiresIn', 'checkCode');
      expect((await browser.ticket()).state).to.equal('denied');
    }
    const other = await meet();
    await other.app.scan(await other.browser.code());
    expect((await other.app.decide('unable')).status).to.equal(400);
  });

  it('owns the ticket that it has scanned: other devices of the account get a reason, and other accounts find nothing', async () => {
    const { browser, app } = await meet();
    const code = await browser.code();
    await app.scan(code);
    const page = await new PhonePerson(world).signIn('alice');
    expect((await page.scan(code)).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    const stranger = await new PhonePerson(world).signIn('bob');
    expect((await stranger.scan(code)).status).to.equal(404);
    const other = await new AppPerson(world).signIn('alice');
    expect((await other.scan(code)).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    other.at = app.at;
    expect((await other.look()).status).to.equal(409);
    const foreign = await new AppPerson(world).signIn('bob');
    foreign.at = app.at;
    expect((await foreign.look()).status).to.equal(404);
    expect((await foreign.approve()).status).to.equal(404);
    expect((await app.approve()).json().state).to.equal('approved');
  });

  it('repeats a scan and a decision without changing anything', async () => {
    const { browser, app } = await meet();
    const code = await browser.code();
    const [scanned, approved] = [world.count('qr_login.scanned'), world.count('qr_login.approved')];
    await app.scan(code);
    expect((await app.scan(code)).status).to.equal(200);
    await app.approve();
    expect((await app.approve()).json().state).to.equal('approved');
    const denied = await app.decide('deny');
    expect(denied.json()).to.include({ error: 'wrong_state', reason: 'approved', state: 'approved' });
    expect([scanned(), approved()]).to.deep.equal([1, 1]);
  });
});
