/** Serves Server-Sent Events with nothing but Node's `http`. The plugin is compared with it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from '../programs.ts';
import { BEAT, COMMENT, firstEvent, HEADERS, HEARTBEAT_MS, pushedEvent } from './plain-events.ts';

const waiting = new Map<string, ServerResponse>();

const server = createServer((req, res) => {
  const [, top, second = '', third = ''] = (req.url ?? '').split('/');
  if (req.method === 'GET' && top === 'interaction') return wait(second, res);
  if (req.method === 'POST' && top === 'qr') return push(third, req, res);
  res.writeHead(404).end();
});
server.keepAliveTimeout = 600_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function wait(id: string, res: ServerResponse): void {
  res.writeHead(200, HEADERS);
  res.write(COMMENT);
  res.write(firstEvent());
  waiting.set(id, res);
  const beat = setInterval(() => res.write(BEAT), HEARTBEAT_MS);
  res.on('close', () => {
    clearInterval(beat);
    waiting.delete(id);
  });
}

function push(id: string, req: IncomingMessage, res: ServerResponse): void {
  req.resume();
  waiting.get(id)?.write(pushedEvent());
  res.writeHead(waiting.has(id) ? 204 : 404).end();
}

answerQuestions({ url: () => url });
