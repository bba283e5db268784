import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import middie from '@fastify/middie';
import { expect } from 'chai';
import express from 'express';
import session from 'express-session';
import Fastify from 'fastify';
import { Crier, REQUEST } from '../../support/crier.ts';
import { listen } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { eventsIn, StreamRecording, Wire } from '../../support/wire.ts';

const CERTIFICATE = makeCertificate();
const NOT_PARKED = 'QR_LOGIN_NOT_PARKED';

/** Two streams of one server, and a function that stops it. */
interface OpenStreams {
  readonly streams: readonly StreamRecording[];
  readonly stop: () => Promise<void>;
}

/** The servers in which a stream cannot give up its socket. */
const PLACES: Readonly<Record<string, (crier: Crier) => Promise<OpenStreams>>> = {
  'a server that speaks TLS itself': async ({ handle }) => {
    const server = createTlsServer({ key: CERTIFICATE, cert: CERTIFICATE }, handle);
    return overTls(server, await listen(server, 'https'));
  },
  'an HTTP/2 server that speaks HTTP/1.1, too': async ({ handle }) => {
    const server = createSecureServer({ key: CERTIFICATE, cert: CERTIFICATE, allowHTTP1: true }, handle as never);
    return overTls(server, await listen(server, 'https'));
  },
  'an HTTP/2 server': async ({ handle }) => {
    const server = createSecureServer({ key: CERTIFICATE, cert: CERTIFICATE }, handle as never);
    const client = connectHttp2(await listen(server, 'https'), { ca: CERTIFICATE });
    const streams = [1, 2].map(() => new StreamRecording(client.request({ ':path': '/events' })));
    return {
      streams,
      stop: async () => {
        client.close();
        await stopServer(server);
      },
    };
  },
  'an app in Express that keeps sessions': async ({ handle }) => {
    const app = express();
    app.use(session({ secret: 'a secret', resave: true, saveUninitialized: true }));
    app.use(handle);
    return overHttp(createServer(app));
  },
  'a server with its own ServerResponse class': async ({ handle }) => {
    class Louder extends ServerResponse<IncomingMessage> {
      override write(...[chunk, ...more]: [unknown, ...unknown[]]): boolean {
        return super.write(chunk, ...(more as []));
      }
    }
    return overHttp(createServer({ ServerResponse: Louder } as object, handle as never));
  },
  'a server with a middleware that adds a header right before the head is sent': async ({ handle }) =>
    overHttp(
      createServer((request, response) => {
        const { writeHead } = response;
        response.writeHead = (...given: never): never => {
          response.setHeader('X-Response-Time', '1');
          return writeHead.call(response, ...(given as [number, OutgoingHttpHeaders])) as never;
        };
        handle(request, response);
      }),
    ),
  ...Object.fromEntries(
    ['writeUtf8String', 'readStart', 'close', 'onread', 'writeQueueSize'].map((part) => [
      `a Node.js with handles without ${part}`,
      async ({ handle }: Crier) => {
        const server = createServer((request, response) => {
          // Hide the member just before the plugin checks it: Node itself needs it before and after.
          response.once('close', () => hide(request.socket, part));
          handle(request, response);
        });
        return overHttp(server);
      },
    ]),
  ),
  'a Node.js with servers that do not count connections': async ({ handle }) => {
    const server = createServer(handle);
    Object.assign(server, { _emitCloseIfDrained: undefined });
    const { streams, stop } = await overHttp(server);
    return {
      streams,
      stop: () => {
        Reflect.deleteProperty(server, '_emitCloseIfDrained');
        return stop();
      },
    };
  },
};

describe('parkStreams', () => {
  let crier: Crier;
  let warnings: string[];
  const note = ({ code }: Error & { code?: string }): void => {
    if (code === NOT_PARKED) warnings.push(code);
  };

  beforeEach(async () => {
    warnings = [];
    process.on('warning', note);
    crier = await Crier.start(true);
  });

  afterEach(async () => {
    process.off('warning', note);
    await crier?.stop();
  });

  for (const [place, open] of Object.entries(PLACES)) {
    it(`warns once in ${place} and leaves the sockets in use: state, heartbeat, change and end arrive`, async () => {
      const { streams, stop } = await open(crier);
      const allSee = (text: string): Promise<unknown> => Promise.all(streams.map((stream) => stream.untilSeen(text)));
      await allSee('"version":1');
      await until(() => crier.waiting === 2 && warnings.length > 0);
      crier.publish();
      await allSee('"version":2');
      crier.clock.forward(16);
      await allSee('\nevent: heartbeat\ndata:\n\n');
      crier.streams.close();
      for (const stream of streams) {
        await stream.untilEnded();
        const { events, retries } = eventsIn(stream instanceof Wire ? unchunked(stream) : stream.bytes);
        expect(events.map(({ type, lastEventId }) => [type, lastEventId])).to.deep.equal([
          ['ticket', '1'],
          ['ticket', '2'],
          ['heartbeat', '2'],
        ]);
        expect(retries).to.have.length(1);
      }
      await until(() => crier.waiting === 0);
      await stop();
      expect(warnings).to.deep.equal([NOT_PARKED]);
    });
  }

  it('keeps the session cookie of the host in the head', async () => {
    const { streams, stop } = await (PLACES['an app in Express that keeps sessions']?.(crier) ?? fail());
    const [stream] = streams;
    await stream?.untilSeen('"version":1');
    expect(stream instanceof Wire && stream.header('set-cookie')).to.have.length(1);
    for (const { source } of streams) source.destroy();
    await stop();
  });

  it("answers a simulated request by Fastify's inject()", async () => {
    const app = Fastify();
    await app.register(middie);
    app.use('/events', crier.handle);
    const { stream } = await app.inject({ url: '/events', payloadAsStream: true });
    const heard = new StreamRecording(stream());
    await heard.untilSeen('"version":1');
    crier.publish();
    await heard.untilSeen('"version":2');
    crier.streams.close();
    await heard.untilSeen('retry: ');
    await until(() => crier.waiting === 0);
    await app.close();
  });

  it('stops counting a browser whose HTTP/2 stream closes before or while the ticket is read', async () => {
    let handled = (): void => undefined;
    const server = createSecureServer({ key: CERTIFICATE, cert: CERTIFICATE }, async (request, response) => {
      // Like a slow middleware of a host: the request for /late reaches the plugin after its stream has closed.
      if (request.url === '/late') await new Promise<void>((resolve) => response.once('close', resolve));
      crier.handle(request as never, response as never);
      handled();
    });
    const client = connectHttp2(await listen(server, 'https'), { ca: CERTIFICATE });
    const letGo = crier.holdReads();
    const early = client.request({ ':path': '/early' });
    early.end();
    await until(() => crier.waiting === 1);
    early.close();
    await until(() => crier.waiting === 0);
    letGo();

    const arrived = new Promise<void>((resolve) => {
      handled = resolve;
    });
    const late = client.request({ ':path': '/late' });
    late.end();
    await once(server, 'request');
    late.close();
    await arrived;
    await until(() => crier.waiting === 0);
    client.close();
    await stopServer(server);
  });
});

async function overHttp(server: Server): Promise<OpenStreams> {
  const origin = await listen(server);
  const streams = [await Wire.to(origin), await Wire.to(origin)];
  // Without this header the connection would stay open for another request after the response.
  for (const stream of streams) stream.send(REQUEST.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  return { streams, stop: () => stopServer(server) };
}

async function overTls(server: Server, origin: string): Promise<OpenStreams> {
  const { port } = new URL(origin);
  const streams = await Promise.all(
    [1, 2].map(async () => {
      const socket = connectTls({ host: 'localhost', port: Number(port), ca: CERTIFICATE });
      await once(socket, 'secureConnect');
      return new Wire(socket);
    }),
  );
  for (const stream of streams) stream.send(REQUEST);
  return { streams, stop: () => stopServer(server) };
}

async function stopServer(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** Makes a member of the handle below this socket undefined for the first access only. */
function hide(socket: Socket, part: string): void {
  const { _handle: handle } = socket as unknown as { _handle: object };
  Object.defineProperty(handle, part, {
    configurable: true,
    get: () => {
      Reflect.deleteProperty(handle, part);
      return undefined;
    },
  });
}

/** Returns the body without the chunk sizes of a chunked response. */
function unchunked(wire: Wire): Buffer {
  if (!wire.header('transfer-encoding').includes('chunked')) return wire.body;
  return Buffer.from(wire.body.toString().replace(/(^|\r\n)[\da-f]+\r\n/g, ''));
}

/** @returns a private key and a certificate for it, in one PEM */
function makeCertificate(): string {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-'];
  const certificate = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  return execFileSync('openssl', ['req', '-x509', '-batch', ...curve, ...certificate], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function fail(): never {
  throw new Error('there is no such place');
}
