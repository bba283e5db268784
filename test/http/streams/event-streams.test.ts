import { expect } from 'chai';
import type { EventStream } from '../../support/agent.ts';
import { StillClock } from '../../support/clock.ts';
import { BrowserPerson, World } from '../../support/world.ts';

for (const parkStreams of [false, true]) {
  describe(`the event stream ${parkStreams ? 'that has given up its Node.js socket' : 'that keeps its Node.js socket'}`, () => {
    let world: World;
    let open: EventStream[] = [];

    before(async () => {
      world = await World.start({ clock: new StillClock(), qrLogin: { parkStreams } });
    });

    beforeEach(() => {
      open = [];
    });

    afterEach(() => {
      for (const stream of open) stream.close();
    });

    after(() => world?.stop());

    const watch = async (browser: BrowserPerson): Promise<EventStream> => {
      const stream = await browser.agent.stream(`${browser.at}/qr/events`);
      open.push(stream);
      return stream;
    };

    it('has the headers that let it through proxies', async () => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const { response } = await watch(browser);
      expect(response.status).to.equal(200);
      expect(Object.fromEntries(response.headers)).to.include({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      });
      expect(response.headers.has('content-encoding')).to.equal(false);
    });

    it('sends a comment immediately, and then the whole ticket', async () => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const stream = await watch(browser);
      expect(await stream.block()).to.match(/^:/);
      const { expiresIn, qr, ...ticket } = await stream.ticket();
      expect(ticket).to.deep.equal({ version: 1, state: 'waiting' });
      expect(expiresIn).to.equal(120);
      expect(qr).to.have.all.keys('url', 'svg', 'rotatesIn');
    });

    it('sends the scan, the approval and the end of the sign-in', async () => {
      const { browser, phone } = await world.meet();
      const stream = await watch(browser);
      await stream.ticket('waiting');
      await phone.scan(await browser.code());
      expect(await stream.ticket()).to.include({ version: 2, state: 'scanned' });
      await phone.approve();
      expect(await stream.ticket()).to.include({ version: 3, state: 'approved', checkCode: false });
      await browser.finish();
      expect(await stream.ticket()).to.include({ version: 4, state: 'redeemed' });
    });

    it('sends the denial', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      const stream = await watch(browser);
      expect((await stream.ticket()).state).to.equal('scanned');
      await phone.deny();
      expect((await stream.ticket()).state).to.equal('denied');
    });

    it('shows the next code when the one on the screen is replaced', async () => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const stream = await watch(browser);
      const urlIn = ({ qr }: Record<string, unknown>): string => (qr as { url: string }).url;
      const first = await stream.ticket('waiting');
      world.clock.forward(10);
      const second = await stream.ticket();
      expect(second).to.include({ version: 1, state: 'waiting' });
      expect(urlIn(second)).not.to.equal(urlIn(first));
    });

    it('sends the expiry, and then the new ticket after a renewal', async () => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const stream = await watch(browser);
      await stream.ticket('waiting');
      world.clock.forward(121);
      expect(await stream.ticket()).to.deep.equal({ version: 2, state: 'expired', expiresIn: 0 });
      const renewed = (await browser.agent.post(`${browser.at}/qr/renew`, { json: {} })).json();
      expect(await stream.ticket()).to.include({ version: renewed.version, state: 'waiting' });
    });

    it('sends the new ticket and no cancellation if the browser renews before the expiry', async () => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const stream = await watch(browser);
      await stream.ticket('waiting');
      const renewed = (await browser.agent.post(`${browser.at}/qr/renew`, { json: {} })).json();
      expect(await stream.ticket()).to.include({ version: renewed.version, state: 'waiting' });
    });

    it('reaches every tab of the browser', async () => {
      const { browser, phone } = await world.meet();
      const tabs = [await watch(browser), await watch(browser), await watch(browser)];
      for (const tab of tabs) await tab.ticket('waiting');
      await phone.scan(await browser.code());
      for (const tab of tabs) expect((await tab.ticket()).state).to.equal('scanned');
    });

    it('ends when the server stops, and says when to reconnect', async () => {
      await World.during({ qrLogin: { parkStreams } }, async (other) => {
        const browser = new BrowserPerson(other);
        await browser.start();
        const stream = await watch(browser);
        await stream.ticket('waiting');
        await other.qr.close();
        const [, retry = ''] = /^retry: (\d+)$/.exec((await stream.block()) ?? '') ?? [];
        expect(Number(retry)).to.be.within(0, 2000);
        expect(retry).not.to.equal('');
        expect(await stream.block()).to.equal(undefined);
      });
    });

    it('ends together with the interaction', async () => {
      await World.during({ qrLogin: { parkStreams } }, async (other) => {
        const browser = new BrowserPerson(other);
        await browser.start();
        const stream = await watch(browser);
        await stream.ticket('waiting');
        other.clock.forward(3601);
        for (let block = await stream.block(); block !== undefined; block = await stream.block()) {
          expect(block).not.to.include('retry');
        }
      });
    });
  });
}
