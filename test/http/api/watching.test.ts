import { expect } from 'chai';
import { AppPerson } from '../../support/app.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const configuration = {
  features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true }, revocation: { enabled: true } },
};

describe('an app that waits', () => {
  let world: World;

  before(async () => {
    world = await World.start({ configuration, qrLogin: { assess: () => 'check code' } });
  });

  after(() => world?.stop());

  const scanned = async (parameters = {}): Promise<{ browser: BrowserPerson; app: AppPerson }> => {
    const browser = new BrowserPerson(world);
    const [app] = await Promise.all([new AppPerson(world).signIn(), browser.start(parameters)]);
    await app.scan(await browser.code());
    return { browser, app };
  };

  it('sees on its stream what the browser does', async () => {
    const { browser, app } = await scanned();
    const stream = await app.events();
    expect(stream.response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect((await stream.ticket()).state).to.equal('scanned');
    await app.approve();
    const { checkCode } = await stream.ticket('approved');
    expect(checkCode).to.match(/^\d{6}$/);
    await browser.finish(`${checkCode}`);
    const { expiresIn, ...finished } = await stream.ticket('finished');
    expect([expiresIn, finished.account]).to.deep.equal([undefined, { name: 'Alice Liddell' }]);
    stream.close();
  });

  it('sees by a long poll what the browser does, at once', async () => {
    const { browser, app } = await scanned();
    const { version } = (await app.look()).json();
    const waiting = app.after(version);
    await browser.agent.post(`${browser.at}/cancel`, { json: {} });
    expect((await waiting).json()).to.include({ state: 'cancelled', reason: 'browser' });
    expect((await app.after(0)).json().state).to.equal('cancelled');
    expect((await app.after('x')).json().error).to.equal('invalid_request');
  });

  it('sees that the browser shows a new code', async () => {
    const { browser, app } = await scanned();
    const stream = await app.events();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    expect((await stream.ticket('cancelled')).reason).to.equal('renewed');
    stream.close();
    expect((await app.approve()).json()).to.include({ error: 'over', reason: 'renewed' });
  });

  it('sees that the time is up', async () => {
    await World.during({ qrLogin: { deadlines: { decide: 1 } } }, async (own) => {
      const browser = new BrowserPerson(own);
      const [app] = await Promise.all([new AppPerson(own).signIn(), browser.start()]);
      await app.scan(await browser.code());
      const stream = await app.events();
      expect((await stream.ticket('expired')).expiresIn).to.equal(undefined);
      stream.close();
    });
  });

  it('sees no more of a ticket that another account has taken over', async () => {
    const claims = JSON.stringify({ id_token: { sub: { value: 'b0b' } } });
    const browser = new BrowserPerson(world);
    const [app, bob] = await Promise.all([
      new AppPerson(world).signIn(),
      new PhonePerson(world).signIn('bob'),
      browser.start({ claims }),
    ]);
    const code = await browser.code();
    await app.scan(code);
    const stream = await app.events();
    expect((await bob.scan(code)).status).to.equal(200);
    const last = await stream.ticket('expired');
    expect(last).to.include({ version: 0 }).and.not.to.have.any.keys('checkCode', 'reason');
    stream.close();
  });

  it('lets go when the server stops', async () => {
    const own = await World.start();
    const browser = new BrowserPerson(own);
    const [app] = await Promise.all([new AppPerson(own).signIn(), browser.start()]);
    await app.scan(await browser.code());
    const stream = await app.events();
    await stream.ticket();
    const waiting = app.after((await app.look()).json().version);
    await own.stop();
    await waiting.catch(() => undefined);
    expect(await stream.block()).to.match(/^retry: /);
  });
});

describe('the list of browsers', () => {
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
