import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { Crier, REQUEST } from '../../support/crier.ts';
import { sizeOfSuite } from '../../support/full-suite.ts';
import { until } from '../../support/until.ts';
import { eventsIn, Wire } from '../../support/wire.ts';

const KB = 1024;
/** More than any kernel buffers for one connection. */
const ENOUGH_BYTES = 64 * KB * KB;

for (const parkStreams of [false, true]) {
  describe(`a reader of an event stream ${parkStreams ? 'that has given up its Node.js socket' : 'that keeps its Node.js socket'}`, () => {
    let crier: Crier;
    let open: Wire[] = [];

    beforeEach(async () => {
      open = [];
      crier = await Crier.start(parkStreams);
    });

    afterEach(async () => {
      for (const { socket } of open) socket.destroy();
      await crier?.stop();
    });

    const watch = async (...more: Parameters<Crier['connectBrowser']>): Promise<Wire> => {
      const wire = await crier.connectBrowser(...more);
      open.push(wire);
      await until(() => crier.sockets.every(({ destroyed }) => destroyed === parkStreams));
      return wire;
    };

    /** Sends events to a reader that does not read, until the kernel takes no more. */
    const untilStuck = async (unsent: () => number): Promise<void> => {
      for (let sentBytes = 0; unsent() === 0; sentBytes += 16 * KB) {
        expect(sentBytes).to.be.below(ENOUGH_BYTES);
        crier.publish(16 * KB);
        await nextTurn();
      }
    };

    /** Returns the next connection to the server, and a function that counts its unsent bytes. */
    const unsentOf = async (connecting: Promise<Wire>): Promise<[Wire, () => number]> => {
      const [socket] = (await once(crier.server, 'connection')) as [Socket];
      const { _handle: handle } = socket as unknown as { _handle: { writeQueueSize: number } };
      return [await connecting, () => (socket.destroyed ? handle.writeQueueSize : socket.writableLength)];
    };

    it('gets every event in order, one byte at a time', async () => {
      const bytes: number[] = [];
      const buffer = Buffer.alloc(1);
      const callback = (): boolean => bytes.push(Number(buffer[0])) > 0;
      const { port } = new URL(crier.origin);
      const socket = connect({ host: 'localhost', port: Number(port), onread: { buffer, callback } });
      open.push(new Wire(socket));
      socket.write(REQUEST);
      await until(() => crier.waiting === 1 && crier.sockets.every(({ destroyed }) => destroyed === parkStreams));
      for (let number = 0; number < 60; number++) crier.publish(number * 16);
      await until(() => Buffer.from(bytes).includes(`"version":${crier.version}`));
      await until(() => bytes.at(-1) === 10 && bytes.at(-2) === 10);
      const body = Buffer.from(bytes.slice(bytes.indexOf(13)));
      const ids = eventsIn(body).events.map(({ lastEventId }) => Number(lastEventId));
      expect(ids).to.deep.equal(Array.from({ length: crier.version }, (_, index) => index + 1));
    });

    it('gets every event in order after a pause in which the kernel took no more', async () => {
      const [wire, unsent] = await unsentOf(watch());
      wire.socket.pause();
      await untilStuck(unsent);
      expect(crier.waiting).to.equal(1);
      wire.socket.resume();
      await wire.untilSeen(`id: ${crier.version}\n`);
      crier.publish();
      await wire.untilSeen(`id: ${crier.version}\n`);
      await until(() => wire.bytes.subarray(-2).equals(Buffer.from('\n\n')));
      const ids = eventsIn(wire.body).events.map(({ lastEventId }) => Number(lastEventId));
      expect(ids).to.deep.equal(Array.from({ length: crier.version }, (_, index) => index + 1));
    });

    it('is cut off if it does not read and more than 64 KB are unsent', async () => {
      const [wire, unsent] = await unsentOf(watch());
      wire.socket.pause();
      await untilStuck(unsent);
      for (let left = 6; left > 0 && crier.waiting === 1; left--) {
        expect(unsent()).to.be.at.most(96 * KB);
        crier.publish(16 * KB);
        await nextTurn();
      }
      await until(() => crier.waiting === 0);
    });

    it('is cut off when all streams are closed if it does not read the rest, so the server can close', async () => {
      const [wire, unsent] = await unsentOf(watch());
      wire.socket.pause();
      await untilStuck(unsent);
      const closed = once(crier.server, 'close');
      crier.streams.close();
      crier.server.close();
      await closed;
      await until(() => crier.waiting === 0);
      crier = await Crier.start(parkStreams);
    });

    it('is cut off when all streams are closed, although it keeps its own side open', async () => {
      const wire = await watch({ allowHalfOpen: true });
      const closed = once(crier.server, 'close');
      crier.streams.close();
      crier.server.close();
      await closed;
      await wire.untilSeen('retry: ');
      crier = await Crier.start(parkStreams);
    });

    it('gets the end of the stream after it has closed its own side', async () => {
      const wire = await watch({ allowHalfOpen: true });
      wire.socket.end();
      await once(wire.socket, 'end');
      await until(() => crier.waiting === 0);
    });

    it('is cut off if it has closed its own side and does not read the rest', async () => {
      const [wire, unsent] = await unsentOf(watch({ allowHalfOpen: true }));
      wire.socket.pause();
      await untilStuck(unsent);
      wire.socket.end();
      await once(wire.socket, 'finish');
      await until(() => crier.sockets.every(({ writableEnded, destroyed }) => writableEnded || destroyed));
      crier.clock.forward(16);
      await until(() => crier.waiting === 0);
    });

    it('is no longer counted after it resets the connection', async () => {
      const wire = await watch();
      wire.socket.resetAndDestroy();
      await until(() => crier.waiting === 0);
    });

    it('is no longer counted after it leaves before the ticket is read', async () => {
      const letGo = crier.holdReads();
      const stay = new Wire(connect({ host: 'localhost', port: Number(new URL(crier.origin).port) }));
      open.push(stay);
      stay.send(REQUEST);
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const wire = await Wire.to(crier.origin);
        wire.send(REQUEST);
        await until(() => crier.waiting === 2);
        wire.socket[leave]();
        await until(() => crier.waiting === 1);
      }
      letGo();
      await stay.untilSeen('"version":1');
      crier.publish();
      await stay.untilSeen('"version":2');
      expect(crier.waiting).to.equal(1);
    });

    it('is no longer counted after it leaves at the moment when the ticket is read', async () => {
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const letGo = crier.holdReads();
        const wire = await Wire.to(crier.origin);
        wire.send(REQUEST);
        await until(() => crier.waiting === 1);
        wire.socket[leave]();
        letGo();
        await until(() => crier.waiting === 0);
      }
    });

    it('is no longer counted after it leaves right after the head', async () => {
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const wire = await Wire.to(crier.origin);
        wire.send(REQUEST);
        await wire.untilSeen('\r\n\r\n');
        wire.socket[leave]();
        await until(() => crier.waiting === 0);
      }
    });

    it('is not counted if it leaves before its request is complete', async () => {
      for (const part of ['', 'GET /events HTTP/1.1\r\n', REQUEST.slice(0, -2)]) {
        const wire = await Wire.to(crier.origin);
        wire.send(part);
        wire.socket.destroy();
      }
      open.push(await crier.connectBrowser());
      expect(crier.waiting).to.equal(1);
    });

    it('leaves no socket and no subscription behind, at whatever moment it leaves', async () => {
      const resources = (): number =>
        process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const before = resources();
      const moments = [
        async () => undefined,
        async () => nextTurn(),
        async () => nextTurn().then(() => nextTurn()),
        async ({ socket }: Wire) => once(socket, 'data'),
        async ({ socket }: Wire) => once(socket, 'data').then(() => nextTurn()),
        async (wire: Wire) => wire.untilSeen('"version"'),
      ];
      const comeAndGo = async (number: number): Promise<void> => {
        const wire = await Wire.to(crier.origin);
        wire.send(REQUEST);
        await moments[number % moments.length]?.(wire).catch(() => undefined);
        const ways = ['end', 'destroy', 'resetAndDestroy'] as const;
        wire.socket[ways[Math.floor(number / moments.length) % ways.length] ?? 'end']();
        await wire.untilEnded();
      };
      // Each round combines every moment with every way to leave.
      for (let round = 0; round < sizeOfSuite({ short: 2, full: 10 }); round++) {
        const readers = Array.from({ length: 200 }, (_, number) => comeAndGo(number * 7 + round));
        crier.publish(round);
        await Promise.all(readers);
      }
      await until(() => crier.waiting === 0 && resources() <= before);
      expect([...crier.signals.watchedInteractions()]).to.be.empty;
    });
  });
}
