/** Serves one Koa route that answers JSON. A poll of the plugin is compared with it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import { answerQuestions, optionsOf } from '../programs.ts';

export interface KoaPollOptions {
  /** The body of each answer. */
  readonly body: unknown;
}

const { body } = optionsOf<KoaPollOptions>();
const router = new Router().get('/interaction/:uid/qr', (ctx) => {
  ctx.body = body;
});
const server = createServer(new Koa().use(router.routes()).callback());
server.keepAliveTimeout = 600_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

answerQuestions({ url: () => `http://127.0.0.1:${port}` });
