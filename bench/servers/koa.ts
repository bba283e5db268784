/** Serves Server-Sent Events with Koa in the usual way: the body is a stream that the handler writes to. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import Router from '@koa/router';
import Koa from 'koa';
import { answerQuestions } from '../programs.ts';
import { BEAT, COMMENT, firstEvent, HEADERS, HEARTBEAT_MS, pushedEvent } from './plain-events.ts';

const waiting = new Map<string, PassThrough>();
const LEAVING: ReadonlySet<string | undefined> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET']);

const router = new Router()
  .get('/interaction/:id/qr/events', (ctx) => {
    const { id = '' } = ctx.params;
    const stream = new PassThrough();
    ctx.status = 200;
    ctx.set(HEADERS);
    ctx.body = stream;
    stream.write(COMMENT);
    stream.write(firstEvent());
    waiting.set(id, stream);
    const beat = setInterval(() => stream.write(BEAT), HEARTBEAT_MS);
    stream.on('close', () => {
      clearInterval(beat);
      waiting.delete(id);
    });
  })
  .post('/qr/tickets/:id', (ctx) => {
    const stream = waiting.get(ctx.params.id ?? '');
    if (stream === undefined) return ctx.throw(404);
    stream.write(pushedEvent());
    ctx.status = 204;
  });

const app = new Koa().use(router.routes() as unknown as Koa.Middleware);
// Koa treats a client that closes its stream as an error, and would print it.
app.on('error', (error: NodeJS.ErrnoException) => {
  if (!LEAVING.has(error.code)) console.error(error);
});
const server = createServer(app.callback());
server.keepAliveTimeout = 600_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

answerQuestions({ url: () => url });
