/** Each screen of the app in each of its states, with sample data. */
import type { BrowserEntry, TicketView } from 'oidc-provider-qr-login/phone';
import { browsersScreen } from './screens/browsers-screen.ts';
import {
  accountScreen,
  linkScreen,
  problemScreen,
  startScreen,
  type Tab,
  waitingScreen,
} from './screens/plain-screens.ts';
import { ScanScreen } from './screens/scan-screen.ts';
import { ticketScreen } from './screens/ticket-screen.ts';
import type { Texts } from './texts.ts';

export interface Sample {
  /** The tab that the screen belongs to; absent if there is no navigation. */
  readonly tab?: Tab;
  readonly make: (texts: Texts) => HTMLElement;
}

const nothing = (): void => undefined;
const noAct = async (): Promise<undefined> => undefined;
const ACTS = {
  approve: noAct,
  deny: noAct,
  report: noAct,
  unable: noAct,
  signInAgain: noAct,
  switchAccount: noAct,
  leave: nothing,
};

const ASKED: TicketView = {
  id: 'a-ticket',
  version: 2,
  state: 'scanned',
  expiresIn: 174,
  shownAgo: 12,
  client: { id: 'photos', name: 'Holiday Photos', host: 'photos.example.org' },
  browser: { name: 'Chrome', system: 'Linux', place: { country: 'DE', city: 'Berlin' } },
  scopes: [{ name: 'openid' }, { name: 'email', text: 'see your email address' }, { name: 'albums.read' }],
  claims: [{ name: 'birthdate' }],
  resources: [{ id: 'https://api.photos.example', scopes: [{ name: 'prints' }] }],
  consent: true,
  account: { name: 'Alice Liddell' },
};
const PLAIN: TicketView = { ...ASKED, scopes: [{ name: 'openid' }], claims: [], resources: [], consent: false };

const ACTION: TicketView = {
  ...PLAIN,
  scopes: [],
  client: { id: 'shop', name: 'Lighthouse Shop', host: 'shop.example.org' },
  action: { title: 'Pay €12.50', details: 'Order 4711\nDelivery to 1 Harbour Street' },
};

const LAPTOP: BrowserEntry = {
  id: 'b1',
  name: 'Firefox',
  system: 'Windows',
  place: { country: 'FR', city: 'Lyon' },
  signedInAgo: 5 * 86_400,
  lastUsedAgo: 3_700,
  signedInBy: 'qr',
  endsIn: 9 * 86_400,
  isHere: false,
  clients: [
    { id: 'photos', name: 'Holiday Photos', hosts: ['photos.example.org'] },
    { id: 'notes', name: 'Notes', hosts: ['notes.example'] },
  ],
};
const TABLET: BrowserEntry = {
  id: 'b2',
  name: 'Safari',
  system: 'iPadOS',
  signedInAgo: 90,
  lastUsedAgo: 20,
  signedInBy: 'qr',
  endsIn: 14 * 86_400,
  isHere: false,
  clients: [],
};

const ticket = (view: TicketView): Sample => ({
  ...(view.state !== 'scanned' && { tab: 'scan' }),
  make: (texts) => ticketScreen(view, texts, ACTS),
});
const ended = (state: TicketView['state'], reason?: NonNullable<TicketView['reason']>): Sample => {
  const { expiresIn: _, ...view } = PLAIN;
  return ticket({ ...view, state, ...(reason !== undefined && { reason }) });
};

export const SAMPLES: Readonly<Record<string, Sample>> = {
  start: { make: (texts) => startScreen(texts, { signIn: nothing }) },
  'start, with a code': { make: (texts) => startScreen(texts, { reason: 'code', signIn: nothing }) },
  'start, no longer signed in': { make: (texts) => startScreen(texts, { reason: 'ended', signIn: nothing }) },
  'start, signed out': {
    make: (texts) => startScreen(texts, { reason: 'signed-out', signIn: nothing, endSessionUrl: '/account' }),
  },
  scan: { tab: 'scan', make: (texts) => new ScanScreen(texts, { scan: noAct, type: noAct }).root },
  'scan, typing': {
    tab: 'scan',
    make: (texts) => {
      const { root } = new ScanScreen(texts, { scan: noAct, type: noAct });
      root.querySelector('details')?.setAttribute('open', '');
      return root;
    },
  },
  link: { tab: 'scan', make: (texts) => linkScreen(texts, { goOn: nothing, leave: nothing }) },
  'ticket, asked': ticket(PLAIN),
  'ticket, with consent': ticket(ASKED),
  'ticket, name that breaks out': ticket({
    ...PLAIN,
    client: { id: 'x', name: '<b>Bank</b> \u202egro.elpmaxe', host: `${'very-long-name.'.repeat(5)}example.org` },
  }),
  'ticket, sign in again': ticket({ ...PLAIN, requirement: { kind: 'freshness', maxAge: 0 } }),
  'ticket, other account': ticket({ ...PLAIN, requirement: { kind: 'account', loginHint: 'bob' } }),
  'ticket, passkey': ticket({ ...PLAIN, challenge: { passkey: {} } }),
  'ticket, question': ticket({ ...PLAIN, challenge: { question: 'Your PIN' } }),
  'ticket, numbers': ticket({ ...PLAIN, numbers: ['17', '42', '86'] }),
  'ticket, numbers and a question': ticket({
    ...PLAIN,
    numbers: ['17', '42', '86'],
    challenge: { question: 'Your PIN' },
  }),
  'ticket, no passkey': ticket({ ...PLAIN, challenge: { unavailable: true } }),
  'ticket, action': ticket(ACTION),
  'action approved': ticket({ ...ACTION, state: 'finished' }),
  digits: ticket({ ...PLAIN, state: 'approved', expiresIn: 58, checkCode: '820175' }),
  approved: ticket({ ...PLAIN, state: 'approved', expiresIn: 58 }),
  finished: ended('finished'),
  denied: ended('denied', 'person'),
  reported: ended('denied', 'report'),
  'denied for safety': ended('denied', 'risk'),
  'not met': ended('denied', 'acr'),
  expired: ended('expired'),
  renewed: ended('cancelled', 'renewed'),
  'browsers, two': {
    tab: 'browsers',
    make: (texts) =>
      browsersScreen({ browsers: [TABLET, LAPTOP], account: 'Alice Liddell' }, texts, {
        signOut: noAct,
        signOutAll: noAct,
      }),
  },
  'browsers, none': {
    tab: 'browsers',
    make: (texts) =>
      browsersScreen({ browsers: [], account: 'Alice Liddell' }, texts, { signOut: noAct, signOutAll: noAct }),
  },
  account: {
    tab: 'account',
    make: (texts) =>
      accountScreen(texts, {
        account: { name: 'Alice Liddell', subject: 'a11ce' },
        install: nothing,
        signOut: nothing,
      }),
  },
  'problem, no connection': {
    tab: 'scan',
    make: (texts) =>
      problemScreen(texts, { text: texts.t('app.offline.text'), isOffline: true, again: nothing, leave: nothing }),
  },
  'problem, code of yesterday': {
    tab: 'scan',
    make: (texts) => problemScreen(texts, { text: texts.t('error.not_found'), leave: nothing }),
  },
  waiting: { tab: 'browsers', make: waitingScreen },
};
