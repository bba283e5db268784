import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { Crier, REQUEST } from '../../support/crier.ts';
import { listen } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { statesIn, Wire } from '../../support/wire.ts';
import { World } from '../../support/world.ts';

/** The time that a connection may be idle in a server with short limits. */
const IDLE_MS = 100;

for (const parkStreams of [false, true]) {
  describe(`a server with event streams ${parkStreams ? 'that have given up their Node.js sockets' : 'that keep their Node.js sockets'}`, () => {
    let crier: Crier;
    let open: Wire[] = [];

    beforeEach(async () => {
      crier = await Crier.start(parkStreams);
      open = [await crier.connectBrowser(), await crier.connectBrowser(), await crier.connectBrowser()];
      await until(() => crier.sockets.every(({ destroyed }) => destroyed === parkStreams));
    });

    afterEach(async () => {
      for (const { socket } of open) socket.destroy();
      await crier?.stop().catch(() => undefined);
    });

    const goOn = async (): Promise<void> => {
      crier.publish();
      for (const wire of open) await wire.untilSeen(`"version":${crier.version}`);
    };

    it('releases the responses while the streams continue', async () => {
      for (const response of crier.responses) expect(response).to.include({ writableFinished: true, closed: true });
      for (const response of crier.responses) expect(response.socket).to.equal(null);
      await goOn();
      expect(crier.waiting).to.equal(3);
    });

    it('emits finish and close once on the response of a stream, and no error', async () => {
      const emitted: string[] = [];
      crier.server.once('request', (_request, response) => {
        for (const event of ['finish', 'close', 'error']) response.on(event, () => emitted.push(event));
      });
      open.push(await crier.connectBrowser());
      await until(() => emitted.includes('close'));
      await goOn();
      crier.streams.close();
      for (const wire of open) await wire.untilEnded();
      expect(emitted).to.deep.equal(['finish', 'close']);
    });

    it('counts the connections of the streams, and closes when the last of them has ended', async () => {
      const connections = promisify(crier.server.getConnections.bind(crier.server));
      expect(await connections()).to.equal(3);
      open[0]?.socket.destroy();
      await until(async () => (await connections()) === 2);
      let hasClosed = false;
      const closed = once(crier.server, 'close').then(() => {
        hasClosed = true;
      });
      crier.streams.close();
      expect(hasClosed).to.equal(false);
      crier.server.close();
      await closed;
      expect(await connections()).to.equal(0);
      for (const wire of open.slice(1)) {
        await wire.untilEnded();
        expect(wire.text).to.match(/\n\nretry: \d+\n\n$/);
      }
    });

    it('keeps no value that the host has in its AsyncLocalStorage for a request', async () => {
      const requests = new AsyncLocalStorage<string>();
      const other = await Crier.start(parkStreams);
      const server = createServer((request, response) => {
        requests.run('a request', () => other.handle(request, response));
      });
      const wire = await Wire.to(await listen(server));
      wire.send(REQUEST);
      await wire.untilSeen('"version"');
      const stored: unknown[] = [];
      other.onRead = () => stored.push(requests.getStore());
      other.clock.forward(100);
      await until(() => stored.length > 0);
      await other.stop();
      server.close();
      expect(stored).to.deep.equal([undefined]);
    });

    it('does not apply its limits for idle connections, headers and requests to event streams', async () => {
      const server = createServer({ keepAliveTimeout: 1, connectionsCheckingInterval: 5 }, (request, response) => {
        if (request.url === '/events') crier.handle(request, response);
        else response.end('done');
      });
      Object.assign(server, { timeout: IDLE_MS, maxRequestsPerSocket: 1 });
      const origin = await listen(server);
      let stream = await openStream(origin);
      // Reading the request may take longer than a connection may be idle, if the processor is busy.
      while (stream === undefined) stream = await openStream(origin);
      Object.assign(server, { headersTimeout: 1, requestTimeout: 2 });

      const others = [await Wire.to(origin), await Wire.to(origin), await Wire.to(origin)];
      others[1]?.send('GET / HTTP/1.1\r\nHost:');
      others[2]?.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      for (const other of others) await other.untilEnded();
      await pause(2 * IDLE_MS);
      open.push(stream);
      await goOn();
      crier.streams.close();
      await stream.untilSeen('retry: ');
      server.close();
      await once(server, 'close');
    });
  });
}

describe('a server whose event streams have given up their Node.js sockets', () => {
  it('keeps these streams open on closeAllConnections(), until the plugin closes them', async () => {
    const crier = await Crier.start(true);
    const wire = await crier.connectBrowser();
    await until(() => crier.sockets.every(({ destroyed }) => destroyed));
    crier.server.closeAllConnections();
    crier.publish();
    await wire.untilSeen(`"version":${crier.version}`);
    await crier.stop();
    await wire.untilEnded();
    expect(wire.text).to.match(/\n\nretry: \d+\n\n$/);
  });
});

for (const parkStreams of [false, true]) {
  describe(`a browser that waits on a stream ${parkStreams ? 'that has given up its Node.js socket' : 'that keeps its Node.js socket'}`, () => {
    it('gets a heartbeat every 15 seconds, then the expiry of the ticket, then the end of the stream', async () => {
      await World.during({ clock: new StillClock(), qrLogin: { parkStreams } }, async (world) => {
        const { browser, phone } = await world.meet();
        await phone.scan(await browser.code());
        const wire = await Wire.watch(browser);
        await wire.untilSeen('"scanned"');
        // The first heartbeat is due 15 seconds after the browser is counted.
        await until(async () => (await world.qr.health()).waiting === 1);
        for (const beats of [1, 2, 3]) {
          world.clock.forward(15.1);
          await wire.untilSeen('}\n\n'.concat('event: heartbeat\ndata:\n\n'.repeat(beats)));
        }
        world.clock.forward(120);
        await wire.untilSeen('"expired"');
        world.clock.forward(3600);
        await wire.untilEnded();
        expect(statesIn(wire.body)).to.deep.equal(['scanned', 'expired']);
        await until(async () => (await world.qr.health()).waiting === 0);
      });
    });
  });
}

/** Returns an event stream that has sent a ticket, or undefined if the server cut the connection before that. */
async function openStream(origin: string): Promise<Wire | undefined> {
  const stream = await Wire.to(origin);
  stream.send(REQUEST);
  return stream.untilSeen('"version"').then(
    () => stream,
    () => undefined,
  );
}
