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

  const scanNewTicket = async (parameters = {}): Promise<{ browser: BrowserPerson; app: AppPerson }> => {
    const browser = new BrowserPerson(world);
    const [app] = await Promise.all([new AppPerson(world).signIn(), browser.start(parameters)]);
    await app.scan(await browser.code());
    return { browser, app };
  };

  it('sees each step of the browser on its stream', async () => {
    const { browser, app } = await scanNewTicket();
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

  it('sees each step of the browser immediately in the answer to a long poll', async () => {
    const { browser, app } = await scanNewTicket();
    const { version } = (await app.look()).json();
    const waiting = app.after(version);
    await browser.agent.post(`${browser.at}/cancel`, { json: {} });
    expect((await waiting).json()).to.include({ state: 'cancelled', reason: 'browser' });
    expect((await app.after(0)).json().state).to.equal('cancelled');
    expect((await app.after('x')).json().error).to.equal('invalid_request');
  });

  it('sees that the browser shows a new code', async () => {
    const { browser, app } = await scanNewTicket();
    const stream = await app.events();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    expect((await stream.ticket('cancelled')).reason).to.equal('renewed');
    stream.close();
    expect((await app.approve()).json()).to.include({ error: 'over', reason: 'renewed' });
  });

  it('sees that the ticket has expired', async () => {
    await World.during({ qrLogin: { deadlines: { decide: 1 } } }, async (own) => {
      const browser = new BrowserPerson(own);
      const [app] = await Promise.all([new AppPerson(own).signIn(), browser.start()]);
      await app.scan(await browser.code());
      const stream = await app.events();
      expect((await stream.ticket('expired')).expiresIn).to.equal(undefined);
      stream.close();
    });
  });

  it('learns nothing more about a ticket that another account has taken over', async () => {
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

  it('is disconnected when the server stops', async () => {
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
