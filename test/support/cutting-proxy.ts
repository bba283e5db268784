/**
 * A proxy for one HTTP server, which passes bytes on. It can deliver a request, and then reset the client's connection
 * instead of passing the answer on.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from './server.ts';

export class CuttingProxy {
  readonly port: number;
  /** The number of requests whose answers were cut off. */
  cut = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #toCut = 0;

  private constructor(target: number, server: Server) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    server.on('connection', (client) => this.#pass(client, connect({ port: target, host: LOOPBACK })));
  }

  static async start(target: number): Promise<CuttingProxy> {
    const server = createServer().listen(0, LOOPBACK);
    await once(server, 'listening');
    return new CuttingProxy(target, server);
  }

  /** Cuts off the answers to the next POST requests. @param times the number of these requests */
  cutAnswers(times: number): void {
    this.#toCut = times;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #pass(client: Socket, target: Socket): void {
    let isDoomed = false;
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (!isDoomed && this.#toCut > 0 && text.startsWith('POST ')) {
        this.#toCut -= 1;
        isDoomed = true;
      }
      // Browsers send the whole URL to a proxy (RFC 9112, section 3.2.2), and the path to a server.
      target.write(text.replace(/^([A-Z]+ )http:\/\/[^/]+/, '$1'), 'latin1');
    });
    target.on('data', (chunk) => {
      if (!isDoomed) client.write(chunk);
      else if (!client.destroyed) {
        // The server has handled the request by now.
        this.cut += 1;
        client.resetAndDestroy();
      }
    });
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay();
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroySoon();
      });
    }
  }
}
