import { EventEmitter, once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { expect } from 'chai';
import type { Context } from 'koa';
import type { SignInMetrics } from '../../../src/http/events/metrics.ts';
import { LongPolls } from '../../../src/http/streams/long-poll.ts';
import type { TicketWatch } from '../../../src/http/streams/ticket-watch.ts';
import { type BrowserViews, versionAt } from '../../../src/http/ticket-view/browser-view.ts';
import type { Listener } from '../../../src/ticket/ports.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const VIEWS = { dueAt: () => Number.POSITIVE_INFINITY } as unknown as BrowserViews;
const METRICS = { countArrival: () => undefined, countDeparture: () => undefined } as unknown as SignInMetrics;

/** A watch of an interaction that has no ticket, so that the version never changes. */
class QuietWatch {
  readonly endsAt = Number.POSITIVE_INFINITY;
  readonly #onSubscribe: (listener: Listener) => void;

  constructor(onSubscribe: (listener: Listener) => void = () => undefined) {
    this.#onSubscribe = onSubscribe;
  }

  subscribe(listener: Listener): void {
    this.#onSubscribe(listener);
  }

  unsubscribe(): void {}

  async read(): Promise<undefined> {
    return undefined;
  }
}

/** Sends a long poll that knows the newest version. @returns a function that tells if it has been answered */
function poll(watch: QuietWatch, ctx: object): () => boolean {
  let isAnswered = false;
  const known = versionAt(undefined, Date.now());
  const polls = new LongPolls(VIEWS, Date.now, METRICS);
  void polls.next(ctx as Context, watch as unknown as TicketWatch, known).then(() => {
    isAnswered = true;
  });
  return () => isAnswered;
}

describe('a long poll without news', () => {
  let time: VirtualTime;

  beforeEach(() => {
    time = VirtualTime.begin();
  });

  afterEach(() => time.end());

  const ownConnection = (): object => ({ req: { socket: {} }, res: new EventEmitter() });

  it('takes at least a second if a change may have been missed', async () => {
    const random = Math.random;
    Math.random = () => 0;
    try {
      const isAnswered = poll(new QuietWatch((listener) => listener.hear(undefined)), ownConnection());
      await time.pass(900);
      expect(isAnswered()).to.equal(false);
      await time.pass(150);
      expect(isAnswered()).to.equal(true);
    } finally {
      Math.random = random;
    }
  });

  it('takes at most a second behind another response on its connection', async () => {
    const server = createServer().listen(0, 'localhost');
    await once(server, 'listening');
    const socket = new Socket().connect(server.address() as { port: number });
    try {
      await once(socket, 'connect');
      const waitsInTurn = { req: { socket }, res: Object.assign(new EventEmitter(), { socket: null }) };
      const isAnswered = poll(new QuietWatch(), waitsInTurn);
      await time.pass(900);
      expect(isAnswered()).to.equal(false);
      await time.pass(150);
      expect(isAnswered()).to.equal(true);
    } finally {
      socket.destroy();
      server.close();
    }
  });
});
