/** Row 25 of the table in docs/security.md: slow requests do not keep other browsers from signing in. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { must } from '../pages/visits.ts';
import { quiet } from './lax.ts';

const MANY = 40;

/** A server that handles one POST at a time and meanwhile refuses all others. */
function oneByOne(): WorldOptions {
  let isBusy = false;
  return inFront(async (ctx, next) => {
    if (ctx.method !== 'POST') return next();
    if (isBusy) {
      ctx.status = 503;
      return undefined;
    }
    isBusy = true;
    await next().finally(() => {
      isBusy = false;
    });
  });
}

export const waitingAttacks: Attack[] = [
  {
    row: 25,
    name: 'keeps other browsers from signing in by sending bodies that never end',
    on: quiet,
    without: { defence: 'concurrent requests', options: oneByOne() },
    run: async (site) => {
      const slow = await Promise.all(Array.from({ length: MANY }, () => drip(site)));
      try {
        const browser = new BrowserVisitor(site);
        must(await browser.start(), 200);
        // If the server waited for the bodies, it would never answer, and the test would time out.
        const { status } = await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
        return status === 200 ? undefined : `${status} for another browser`;
      } finally {
        for (const socket of slow) socket.destroy();
      }
    },
  },
];

/** Announces a form of 100 bytes, and sends only its beginning. */
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
