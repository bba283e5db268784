/** Row 25: whoever takes their time keeps nobody else from signing in. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Context, Next } from 'koa';
import { BrowserVisitor, type Site } from '../support/visitors.ts';
import { type Attack, inFront } from './attack.ts';
import { quiet } from './bodies-lax.ts';
import { must } from './pages-visits.ts';

const MANY = 40;
/** Others wait for this long at most, in milliseconds. */
const PATIENCE = 1_000;

let turn: Promise<void> = Promise.resolve();

/** A server that does one thing after the other. */
async function oneByOne(ctx: Context, next: Next): Promise<void> {
  if (ctx.method !== 'POST') return next();
  const before = turn;
  let done: () => void = () => undefined;
  turn = new Promise((resolve) => {
    done = resolve;
  });
  ctx.req.socket.once('close', done);
  await before;
  await next().finally(done);
}

export const waitingAttacks: Attack[] = [
  {
    row: 25,
    name: 'keeps others from signing in with bodies that never end',
    on: quiet,
    without: { name: 'doing many things at once', options: inFront(oneByOne) },
    run: async (site) => {
      const slow = await Promise.all(Array.from({ length: MANY }, () => drip(site)));
      try {
        const browser = new BrowserVisitor(site);
        must(await browser.start(), 200);
        const signal = AbortSignal.timeout(PATIENCE);
        const renewed = browser.agent.post(`${browser.at}/qr/renew`, { json: {}, signal });
        const status = await renewed.then(
          (answer) => answer.status,
          () => undefined,
        );
        return status === 200 ? undefined : `${status ?? 'no answer'} for somebody else`;
      } finally {
        for (const socket of slow) socket.destroy();
      }
    },
  },
];

/** Says that there is a form, and sends the half of it. */
async function drip(site: Site): Promise<Socket> {
  const { hostname, port, host, pathname } = new URL(site.issuer);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const path = `${pathname.replace(/\/$/, '')}/qr/tickets/none`;
  const type = 'application/x-www-form-urlencoded';
  socket.write(`POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${type}\r\ncontent-length: 100\r\n\r\ncsrf=`);
  socket.on('error', () => undefined);
  return socket;
}
