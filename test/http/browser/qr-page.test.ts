import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { CODE_LENGTH } from '../../support/codes.ts';
import { BrowserPerson, World } from '../../support/world.ts';

describe('the ticket as JSON for the browser', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock() });
  });

  after(() => world?.stop());

  it('contains the code and the seconds left while it waits', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const answer = await browser.agent.get(`${browser.at}/qr`);
    expect(answer.headers.get('content-type')).to.match(/^application\/json/);
    const ticket = answer.json();
    expect(ticket).to.have.all.keys('version', 'state', 'expiresIn', 'qr');
    expect(ticket).to.include({ version: 1, state: 'waiting' });
    expect(ticket.expiresIn).to.equal(120);
    const { url, svg, rotatesIn } = ticket.qr as { url: string; svg: string; rotatesIn: number };
    expect(url).to.match(new RegExp(`^${world.issuer}/qr/[\\w-]{${CODE_LENGTH}}$`));
    expect(svg).to.match(/^<svg /);
    expect(rotatesIn).to.be.within(0, 10);
  });

  it('contains only the data that the browser needs in each later state', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const scanned = await browser.ticket();
    expect(scanned).to.have.all.keys('version', 'state', 'expiresIn', 'phone');
    expect(scanned.phone).to.have.all.keys('name', 'system');
    await phone.approve();
    const approved = await browser.ticket();
    expect(approved).to.have.all.keys('version', 'state', 'expiresIn', 'phone', 'checkCode');
    expect(approved).to.include({ version: 3, state: 'approved', checkCode: false });
    await browser.finish();
    expect(await browser.ticket()).to.include({ version: 4, state: 'redeemed' });
    expect(await browser.ticket()).not.to.have.any.keys('phone', 'checkCode');
  });

  it('has a new code every ten seconds without a new version', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const before = await browser.ticket();
    const first = await browser.code();
    world.clock.forward(10);
    expect(await browser.code()).not.to.equal(first);
    expect((await browser.ticket()).version).to.equal(before.version);
  });

  it('is sent immediately if the browser knows another version', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    expect(await browser.after(7)).to.include({ version: 1, state: 'waiting' });
    expect(await browser.after(0)).to.include({ version: 1, state: 'waiting' });
  });

  it('is sent immediately if the ticket has expired meanwhile', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    world.clock.forward(121);
    expect(await browser.after(1)).to.deep.equal({ version: 2, state: 'expired', expiresIn: 0 });
  });

  it('is sent as soon as the phone scans, if the browser waits', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const waiting = browser.after(1);
    await phone.scan(code);
    expect(await waiting).to.include({ version: 2, state: 'scanned' });
  });

  it('is sent as soon as the phone decides, if the browser waits', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const waiting = browser.after(2);
    await phone.deny();
    expect(await waiting).to.include({ version: 3, state: 'denied' });
  });

  it('is sent when another tab renews, if the browser waits', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const waiting = browser.after(1);
    const renewed = (await browser.agent.post(`${browser.at}/qr/renew`, { json: {} })).json();
    expect(await waiting).to.include({ version: renewed.version, state: 'waiting' });
  });

  it('has a higher version after each change', async () => {
    const { browser, phone } = await world.meet();
    const versions = [Number((await browser.ticket()).version)];
    const look = async (): Promise<void> => {
      versions.push(Number((await browser.ticket()).version));
    };
    await phone.scan(await browser.code());
    await look();
    world.clock.forward(121);
    await look();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    await look();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    await look();
    expect(versions).to.deep.equal([...new Set(versions)].sort((a, b) => a - b));
  });

  it('is sent to a waiting browser when the server stops', async () => {
    await World.during({}, async (other) => {
      const browser = new BrowserPerson(other);
      await browser.start();
      const subscribed = browser.after(1);
      await browser.ticket();
      await other.qr.close();
      expect(await subscribed).to.include({ version: 1, state: 'waiting' });
    });
  });
});

describe('the address in the code', () => {
  for (const showAddress of [true, false]) {
    it(`is ${showAddress ? 'a link on the page, too' : 'in the code only'} with showAddress: ${showAddress}`, async () => {
      const world = await World.start({ qrLogin: { showAddress } });
      const browser = new BrowserPerson(world);
      const page = await browser.start();
      const code = await browser.code();
      await world.stop();
      const address = new RegExp(`href="([^"]*/qr/[\\w-]{${CODE_LENGTH}})"`, 'g');
      const links = [...page.text.matchAll(address)].map(([, link]) => link);
      expect(links).to.deep.equal(showAddress ? [code] : []);
    });
  }
});

describe('the steps on the QR page', () => {
  const stepOf = (apps: { name?: string }): Promise<string> => {
    let text = '';
    return World.during({ qrLogin: { apps } }, async (world) => {
      ({ text } = await new BrowserPerson(world).start());
    }).then(() => /<ol class="steps">\s*<li><svg.*?<\/svg>(.*?)<\/li>/.exec(text)?.[1] ?? '');
  };

  it('begin with the camera of the phone', async () => {
    expect(await stepOf({})).to.equal('Open your phone’s camera.');
  });

  it('name the app, if there is one', async () => {
    expect(await stepOf({ name: 'Copperfield & Co' })).to.equal(
      'Open Copperfield &amp; Co on your phone, or its camera.',
    );
  });
});
