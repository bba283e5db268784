import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { until } from '../../support/until.ts';
import { eventsIn, eventsRequest, statesIn, Wire } from '../../support/wire.ts';
import { BrowserPerson, World } from '../../support/world.ts';

const FIRST =
  /^: HTTP\/1\.1 200 OK\r\nContent-Length: (\d+)\r\nConnection: keep-alive\r\n\r\n(: here\n\nevent: ticket\nid: 1\ndata: \{[^\n]*\}\n\n)/;

for (const parkStreams of [false, true]) {
  describe(`the bytes of an event stream ${parkStreams ? 'that has given up its Node.js socket' : 'that keeps its Node.js socket'}`, () => {
    let world: World;
    let open: Wire[] = [];

    before(async () => {
      world = await World.start({ clock: new StillClock(), qrLogin: { parkStreams } });
    });

    beforeEach(() => {
      open = [];
    });

    afterEach(async () => {
      for (const { socket } of open) socket.destroy();
      await waiting(0);
    });

    after(() => world?.stop());

    const waiting = (many: number): Promise<void> => until(async () => (await world.qr.health()).waiting === many);

    const watch = async (...[browser, asking]: Parameters<typeof Wire.watch>): Promise<Wire> => {
      const wire = await Wire.watch(browser, asking);
      open.push(wire);
      return wire;
    };

    const someBrowser = async (): Promise<BrowserPerson> => {
      const browser = new BrowserPerson(world);
      await browser.start();
      return browser;
    };

    it('are the head that the plugin writes, and a body that hides the head of Node.js in an SSE comment', async () => {
      const { browser, phone } = await world.meet();
      const wire = await watch(browser);
      await wire.untilSeen('event: ticket');
      await phone.scan(await browser.code());
      await wire.untilSeen('"scanned"');
      await phone.approve();
      await wire.untilSeen('"approved"');

      expect(wire.head.split('\r\n')[0]).to.equal('HTTP/1.1 200 OK');
      expect(wire.header('connection')).to.deep.equal(['close']);
      expect(wire.header('date')).to.have.length(1);
      for (const name of ['content-length', 'transfer-encoding', 'keep-alive']) expect(wire.header(name)).to.be.empty;

      const [, length, first = ''] = FIRST.exec(wire.body.toString()) ?? [];
      expect(Number(length)).to.equal(Buffer.byteLength(first));
      expect(wire.text.match(/HTTP\//g)).to.have.length(2);
      expect(wire.body.toString().replace(FIRST, '')).to.match(
        /^(event: ticket\nid: 2\ndata: \{"version":2,"state":"scanned"[^\n]*\n\n)(event: ticket\nid: 3\ndata: \{"version":3,"state":"approved"[^\n]*\n\n)$/,
      );
    });

    it('are tickets and nothing else to a parser of Server-Sent Events', async () => {
      const { browser, phone } = await world.meet();
      const wire = await watch(browser);
      await wire.untilSeen('"waiting"');
      await phone.scan(await browser.code());
      await wire.untilSeen('"scanned"');
      await phone.deny();
      await wire.untilSeen('"denied"');
      await until(() => eventsIn(wire.body).events.length === 3);
      const { events, retries } = eventsIn(wire.body);
      expect(events.map(({ type, lastEventId }) => [type, lastEventId])).to.deep.equal([
        ['ticket', '1'],
        ['ticket', '2'],
        ['ticket', '3'],
      ]);
      expect(statesIn(wire.body)).to.deep.equal(['waiting', 'scanned', 'denied']);
      expect(retries).to.be.empty;
    });

    it('contain every header that the host has set, in the head and nowhere else', async () => {
      const dress = (_request: unknown, response: ServerResponse): void => {
        response.setHeader('Set-Cookie', ['one=1; Path=/', 'two=2']);
        response.setHeader('X-Served-By', 'Zoë');
        response.setHeader('X-Number', 7);
        response.setHeader('Keep-Alive', 'timeout=5');
        response.setHeader('Date', 'Sun, 06 Nov 1994 08:49:37 GMT');
        response.statusMessage = 'Fine';
      };
      const browser = await someBrowser();
      world.server.prependListener('request', dress);
      const wire = await watch(browser);
      await wire.untilSeen('event: ticket');
      world.server.off('request', dress);
      expect(wire.header('set-cookie')).to.deep.equal(['one=1; Path=/', 'two=2']);
      expect(wire.header('x-served-by')).to.deep.equal(['Zoë']);
      expect(wire.header('x-number')).to.deep.equal(['7']);
      expect(wire.header('date')).to.deep.equal(['Sun, 06 Nov 1994 08:49:37 GMT']);
      expect(wire.header('keep-alive')).to.be.empty;
      expect(wire.body.toString()).not.to.match(/set-cookie|x-served-by|x-number|date:/i);
      expect(statesIn(wire.body)).to.deep.equal(['waiting']);
    });

    for (const headers of [[], ['Connection: keep-alive'], ['Connection: close']]) {
      it(`are the same for HTTP/1.0${headers.map((line) => ` with ${line}`).join('')}`, async () => {
        const { browser, phone } = await world.meet();
        const wire = await watch(browser, { version: '1.0', headers });
        await wire.untilSeen('event: ticket');
        await phone.scan(await browser.code());
        await wire.untilSeen('"scanned"');
        expect(wire.header('connection')).to.deep.equal(['close']);
        expect(wire.header('transfer-encoding')).to.be.empty;
        expect(statesIn(wire.body)).to.deep.equal(['waiting', 'scanned']);
      });
    }

    it('come after 100 Continue if the request expects that', async () => {
      const { browser, phone } = await world.meet();
      const wire = await watch(browser, { headers: ['Expect: 100-continue'] });
      await wire.untilSeen('event: ticket');
      await phone.scan(await browser.code());
      await wire.untilSeen('"scanned"');
      expect(wire.head).to.equal('HTTP/1.1 100 Continue');
      expect(wire.body.toString()).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    });

    it('are just a head if the request is HEAD, and the connection can be reused', async () => {
      const browser = await someBrowser();
      const wire = await watch(browser, { method: 'HEAD' });
      await wire.untilSeen('\r\n\r\n');
      expect(wire.header('content-type')).to.deep.equal(['text/event-stream; charset=utf-8']);
      wire.send(await eventsRequest(browser));
      await wire.untilSeen('event: ticket');
      await waiting(1);
    });

    it('are sent even if the request has a body', async () => {
      const { browser, phone } = await world.meet();
      const wire = await watch(browser, { headers: ['Content-Length: 4'], body: 'body' });
      await wire.untilSeen('event: ticket');
      await phone.scan(await browser.code());
      await wire.untilSeen('"scanned"');
      await waiting(1);
    });

    it('end if the body of the request arrives later', async () => {
      const wire = await watch(await someBrowser(), { headers: ['Content-Length: 4'] });
      await wire.untilSeen('event: ticket');
      wire.send('body');
      await wire.untilEnded();
      await waiting(0);
    });

    it('end if the browser sends another request on the connection, which gets no answer', async () => {
      const browser = await someBrowser();
      const wire = await watch(browser);
      await wire.untilSeen('event: ticket');
      const other = await watch(browser);
      await other.untilSeen('event: ticket');
      const asked: unknown[] = [];
      const note = ({ url }: { url?: string }): unknown => asked.push(url);
      world.server.on('request', note);
      wire.send('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await wire.untilEnded();
      await waiting(1);
      world.server.off('request', note);
      expect(asked).to.be.empty;
      expect(wire.text.match(/HTTP\//g)).to.have.length(2);
      expect(other.socket.destroyed).to.equal(false);
    });

    it('end if a second stream is requested on the same connection', async () => {
      const browser = await someBrowser();
      const other = await watch(browser);
      await other.untilSeen('event: ticket');
      const request = await eventsRequest(browser);
      const wire = await watch(browser, { body: request.repeat(40) });
      await wire.untilEnded();
      await waiting(1);
      expect(eventsIn(wire.body).events.length).to.be.at.most(1);
      expect(other.socket.destroyed).to.equal(false);
    });

    it('are not sent if the stream is requested behind a waiting long poll', async () => {
      // A long poll ends when the next code is due. The frozen clock may stand just before that, so take a browser whose
      // code has at least 5 s left.
      const rotatesIn = async (): Promise<number> => {
        const { qr } = (await browser.ticket()) as { qr: { rotatesIn: number } };
        return qr.rotatesIn;
      };
      let browser = await someBrowser();
      while ((await rotatesIn()) < 5) browser = await someBrowser();
      const request = (await eventsRequest(browser)).replace('/qr/events', '/qr?after=1');
      const wire = await Wire.to(world.origin);
      open.push(wire);
      wire.send(request);
      await waiting(1);
      wire.send(await eventsRequest(browser));
      await wire.untilEnded();
      await waiting(0);
      expect(wire.text).not.to.include('event: ticket');
    });

    it("are not mixed with the answers to requests that are pipelined behind the stream's request", async () => {
      const { browser, phone } = await world.meet();
      const other = await watch(browser);
      await other.untilSeen('event: ticket');
      const wire = await watch(browser, { body: 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(40) });
      await wire.untilSeen('event: ticket');
      await phone.scan(await browser.code());
      await other.untilSeen('"scanned"');
      expect(statesIn(other.body)).to.deep.equal(['waiting', 'scanned']);
      expect(['waiting', 'scanned']).to.include.members(statesIn(wire.body));
    });
  });
}

describe('the bytes of an event stream in the style "plain"', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock(), qrLogin: { streams: 'plain' } });
  });

  after(() => world?.stop());

  it('are one head, and a chunked body of events', async () => {
    const { browser, phone } = await world.meet();
    const wire = await Wire.watch(browser);
    await wire.untilSeen('"waiting"');
    await phone.scan(await browser.code());
    await wire.untilSeen('"scanned"');
    await phone.approve();
    await wire.untilSeen('"approved"');
    expect(wire.text.match(/HTTP\//g)).to.have.length(1);
    expect(wire.header('transfer-encoding')).to.deep.equal(['chunked']);
    expect(wire.header('content-type')).to.deep.equal(['text/event-stream; charset=utf-8']);
    expect(wire.text.match(/^event: ticket$/gm)).to.have.length(3);
    wire.socket.destroy();
    await until(async () => (await world.qr.health()).waiting === 0);
  });

  it('end when the plugin is closed', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const wire = await Wire.watch(browser);
    await wire.untilSeen('"waiting"');
    await world.qr.close();
    await wire.untilSeen('retry: ');
    // The last chunk: the connection itself may serve other requests.
    await wire.untilSeen('\r\n0\r\n\r\n');
  });
});
