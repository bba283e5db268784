/** Simulated users of a server that only pushes events. Their ids and cookies are as long as the provider's. */
import { randomBytes } from 'node:crypto';
import { formRequest, type Site } from './chromium.ts';
import { Connections } from './connection.ts';
import type { People, SendApproval } from './people.ts';
import { personAddress } from './source-address.ts';
import type { Person } from './stream.ts';

export function makePlainPeople(site: Site): People {
  const connections = new Connections(site.port);
  let lastNumber = 0;
  return {
    prepare: async (count) => Array.from({ length: count }, () => makePerson(++lastNumber)),
    prepareApproval: async ({ uid, address }): Promise<SendApproval> => {
      const cookie = `_session=${randomText(32)}; _session.sig=${randomText(20)}; _qr_seen=${randomText(46)}; _qr_seen.sig=${randomText(20)}`;
      const fields = `csrf=${randomText(32)}&decision=approve`;
      const request = formRequest(site, `/qr/tickets/${uid}`, { address, cookie, fields });
      return async () => {
        const { status } = await connections.send(request);
        if (status !== 204) throw new Error(`a push was answered with ${status}`);
      };
    },
  };
}

function makePerson(number: number): Person {
  const uid = randomText(32);
  const binding = `_qr_browser=${uid}.${randomText(16)}.cnA; _qr_browser.sig=${randomText(20)}`;
  const cookie = `${binding}; _interaction=${uid}; _interaction.sig=${randomText(20)}`;
  return { uid, cookie, address: personAddress(number) };
}

function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
