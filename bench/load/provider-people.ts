/** Simulated users of the provider: browsers that an RP has sent, and phones that are signed in. */
import { pageRequest, type Site, scriptRequest } from './chromium.ts';
import { Connections } from './connection.ts';
import { Cookies } from './cookies.ts';
import type { People, SendApproval } from './people.ts';
import { Phone } from './phone.ts';
import { personAddress } from './source-address.ts';
import type { Person } from './stream.ts';

/** The number of browsers that are prepared at the same time: enough to keep the server busy. */
const AT_ONCE = 4;
/**
 * The number of approvals by one {@link Phone}. The default limits allow ten per account and minute, because each
 * approval needs two `scan` requests, and the limit is 20 a minute.
 */
const APPROVALS_OF_A_PHONE = 8;
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const AUTHORIZE =
  '/auth?client_id=rp&redirect_uri=http%3A%2F%2Frp.example%2Fcallback&response_type=code&scope=openid' +
  `&code_challenge=${CHALLENGE}&code_challenge_method=S256&state=`;

export function makeProviderPeople(browsers: Site, phones: Site): People {
  const connections = new Connections(browsers.port);
  const phoneConnections = new Connections(phones.port);
  let lastNumber = 0;
  let phone: Promise<Phone> | undefined;
  let left = 0;
  const nextPhone = (): Promise<Phone> => {
    if (phone === undefined || left === 0) {
      lastNumber += 1;
      left = APPROVALS_OF_A_PHONE;
      phone = Phone.signIn(phones, phoneConnections, lastNumber);
    }
    left -= 1;
    return phone;
  };
  return {
    prepare: async (count) => {
      const people: Person[] = [];
      const last = lastNumber + count;
      const prepareInTurn = async (): Promise<void> => {
        while (lastNumber < last) people.push(await arrive(browsers, connections, ++lastNumber));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, prepareInTurn));
      return people;
    },
    prepareApproval: async (person): Promise<SendApproval> => {
      const holder = await nextPhone();
      return holder.scan(await codeOf(browsers, connections, person));
    },
  };
}

/** Sends an authorization request, and loads the page with the code that it leads to. */
async function arrive(site: Site, connections: Connections, number: number): Promise<Person> {
  const cookies = new Cookies();
  const address = personAddress(number);
  const begun = await connections.send(pageRequest(site, `${AUTHORIZE}${number}`, { address, cookie: '' }));
  const page = /\r\nlocation: (\S+)/i.exec(begun.head)?.[1];
  if (begun.status !== 303 || page === undefined) throw new Error(`authorization was answered with ${begun.status}`);
  cookies.take(begun.head);
  const shown = await connections.send(pageRequest(site, page, { address, cookie: cookies.headerFor(page) }));
  if (shown.status !== 200) throw new Error(`the page with the code was answered with ${shown.status}`);
  cookies.take(shown.head);
  return { uid: page.slice(page.lastIndexOf('/') + 1), cookie: cookies.headerFor(`${page}/qr/events`), address };
}

/** Returns the path in the QR code that this browser shows now. */
async function codeOf(site: Site, connections: Connections, person: Person): Promise<string> {
  const path = `/interaction/${person.uid}/qr?svg=no`;
  const { status, body } = await connections.send(scriptRequest(site, path, { ...person, accept: 'application/json' }));
  if (status !== 200) throw new Error(`the request for the ticket was answered with ${status}`);
  return new URL(JSON.parse(body).qr.url).pathname;
}
