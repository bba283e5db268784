import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An answer of the receiver. */
export interface ReceiverAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** A request that the receiver got. */
interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly jwt: string;
}

/** A receiver of pushed security events (RFC 8935). */
export class FakeReceiver {
  readonly deliveries: Delivery[] = [];
  readonly #server: Server;
  #awaited: (() => void)[] = [];
  /** Returns the answer to a delivery. */
  answer: (tries: number) => ReceiverAnswer = () => ({ status: 202 });

  private constructor() {
    this.#server = createServer(async (request, response) => {
      this.deliveries.push({ headers: request.headers, jwt: await text(request) });
      const { status, body = '', headers = {} } = this.answer(this.deliveries.length);
      response.writeHead(status, headers).end(body);
      for (const resolve of this.#awaited.splice(0)) resolve();
    });
  }

  static async open(): Promise<FakeReceiver> {
    const receiver = new FakeReceiver();
    receiver.#server.listen(0, 'localhost');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get endpoint(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/events`;
  }

  /** Waits until this number of deliveries was answered. */
  async until(count: number): Promise<void> {
    while (this.deliveries.length < count) await new Promise<void>((resolve) => this.#awaited.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
