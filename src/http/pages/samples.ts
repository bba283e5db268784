import type { DrawnView } from '../ticket-view/browser-view.ts';
import { ERRORS } from './error-samples.ts';
import type { Pages } from './page-data.ts';
import { CONFIRM, DEVICES, DONE, LANDING, MANIFEST, SCAN, WAITING_REQUEST } from './phone-samples.ts';
import { LOGO, REQUEST } from './sample-request.ts';

/** Sample data for each page in each of its states. A deployment's templates are rendered with it at start-up. */
export type Samples = { readonly [Name in keyof Pages]: Readonly<Record<string, Pages[Name]>> };

const CODE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37" width="296" height="296"><path fill="#fff" d="M0 0h37v37H0z"/><path d="M4 4h7v7H4zM26 4h7v7h-7zM4 26h7v7H4zM14 14h9v9h-9z"/></svg>';

const CODE_SHOWN = { url: 'https://id.example.com/qr/sample', svg: CODE, rotatesIn: 9.5, shortCode: 'QLMY-2568' };

type ShownTicket = Omit<DrawnView, 'version' | 'expiresIn'>;

function qr(ticket: ShownTicket, more: Partial<Pages['qr']> = {}): Pages['qr'] {
  return {
    request: REQUEST,
    isPhone: false,
    ticket: { version: 1, expiresIn: 96, ...(ticket.state === 'waiting' && { qr: CODE_SHOWN }), ...ticket },
    urls: { self: '#', renew: '#', finish: '#', cancel: '#', ask: '#' },
    otherWays: [{ url: '#', label: 'Sign in with a password' }],
    lasts: { scan: 120, decide: 120, finish: 120 },
    codeGrace: 20,
    showAddress: false,
    ...more,
  };
}

function offer(state: Pages['offer']['state'], more: Partial<Pages['offer']> = {}): Pages['offer'] {
  return { account: 'Alice Liddell', client: REQUEST.client, url: '#', state, ...more };
}

function action(state: Pages['action']['state'], more: Partial<Pages['action']> = {}): Pages['action'] {
  return {
    client: REQUEST.client,
    title: 'Pay €12.50 to the Lighthouse Shop',
    state,
    opensItself: false,
    isPhone: false,
    urls: { self: '#', renew: '#', finish: '#', cancel: '#' },
    lasts: { scan: 300, decide: 120, finish: 120 },
    codeGrace: 20,
    ...more,
  };
}

/** The states in which the page offers the other ways to sign in. */
const OFFERING: Readonly<Record<string, ShownTicket>> = {
  waiting: { state: 'waiting' },
  expired: { state: 'expired' },
  cancelled: { state: 'cancelled', because: 'browser' },
  'wrong codes': { state: 'cancelled', because: 'check code' },
};

/** The ways to sign in that a page offers. Their look depends on the device and on which others there are. */
const OFFERS: Readonly<Record<string, Partial<Pages['qr']>>> = {
  'on a phone': { isPhone: true },
  'with a passkey of its own': { passkey: '{}', hasPasskey: true },
  'on a phone with an app': { isPhone: true, appUrl: '#' },
  'on a phone with a passkey': { isPhone: true, passkey: '{}' },
  'on a phone with an app and a passkey': { isPhone: true, appUrl: '#', passkey: '{}' },
  'with a passkey': { passkey: '{}' },
  'without another way': { otherWays: [] },
  'on a phone without another way': { isPhone: true, otherWays: [] },
};

const OFFERED = Object.entries(OFFERING).flatMap(([state, ticket]) => [
  [state, qr(ticket)] as const,
  ...Object.entries(OFFERS).map(([offer, more]) => [`${state}, ${offer}`, qr(ticket, more)] as const),
]);

const NOTHING_MORE = { details: [], resources: {}, claims: [] };
const CONSENT = { request: REQUEST, account: 'Alice Liddell', urls: { grant: '#', cancel: '#' } };

export const SAMPLES: Samples = {
  qr: {
    ...Object.fromEntries(OFFERED),
    'waiting, with everything': qr(
      { state: 'waiting' },
      {
        showAddress: true,
        typeAt: 'id.example.com/qr/scan',
        passkey: '{}',
        signedInAs: 'Bob Sawyer',
        request: { ...REQUEST, loginHint: 'alice' },
      },
    ),
    'waiting, with a passkey of its own and another account': qr(
      { state: 'waiting' },
      { passkey: '{}', hasPasskey: true, signedInAs: 'Bob Sawyer' },
    ),
    'waiting, for an enrolled browser': qr({ state: 'waiting' }, { enrolment: true }),
    'waiting, with enrolment by the phone': qr({ state: 'waiting' }, { enrolment: true, enrolByPhone: 'sample' }),
    'waiting, in a known browser': qr({ state: 'waiting' }, { ask: {} }),
    'waiting, in a known browser with a key': qr({ state: 'waiting' }, { ask: { nonce: 'sample' }, passkey: '{}' }),
    'waiting for the phone': qr({ state: 'waiting', asked: true }, { ask: {}, typesNumber: true }),
    'opened on the phone, with a number to type': qr(
      { state: 'scanned', phone: { name: 'Safari', system: 'iOS' }, number: '42' },
      { ask: {}, typesNumber: true },
    ),
    'waiting, for an app': qr({ state: 'waiting' }, { appName: 'Example wallet', codeMark: LOGO }),
    'signing in on the phone': qr({ state: 'waiting', phoneIsSigningIn: true }),
    scanned: qr({ state: 'scanned' }),
    'scanned by a known phone': qr({ state: 'scanned', phone: { name: 'Safari', system: 'iOS' } }),
    'scanned, with a number': qr({ state: 'scanned', number: '42' }, { tapsNumber: true }),
    'scanned by a known phone, with a number': qr(
      { state: 'scanned', phone: { name: 'Safari', system: 'iOS' }, number: '42' },
      { tapsNumber: true },
    ),
    'check code': qr({ state: 'approved', checkCode: true }),
    switch: qr({ state: 'approved', checkCode: false, switchAccount: true }, { signedInAs: 'Bob Sawyer' }),
    'switch from the last account': qr({ state: 'approved', checkCode: false, switchAccount: true }),
    'check code and switch': qr(
      { state: 'approved', checkCode: true, switchAccount: true },
      { signedInAs: 'Bob Sawyer' },
    ),
    finishing: qr({ state: 'redeemed' }),
    denied: qr({ state: 'denied' }),
  },
  offer: {
    offered: offer('offered'),
    approved: offer('approved', { options: '{}' }),
    refused: offer('refused'),
  },
  action: {
    'not opened': action('waiting'),
    'not opened, on a phone': action('waiting', { isPhone: true }),
    waiting: action('waiting', { ticket: { version: 1, expiresIn: 96, state: 'waiting', qr: CODE_SHOWN } }),
    'waiting, with everything': action('waiting', {
      ticket: { version: 1, expiresIn: 96, state: 'waiting', qr: CODE_SHOWN, phoneIsSigningIn: true },
      showAddress: true,
      typeAt: 'id.example.com/qr/scan',
      appName: 'Example wallet',
      codeMark: LOGO,
    }),
    scanned: action('scanned', {
      ticket: { version: 2, expiresIn: 96, state: 'scanned', phone: { name: 'Safari', system: 'iOS' } },
    }),
    'check code': action('approved', { ticket: { version: 3, expiresIn: 96, state: 'approved', checkCode: true } }),
    finishing: action('approved', { ticket: { version: 3, expiresIn: 96, state: 'approved', checkCode: false } }),
    approved: action('redeemed'),
    'approved, with a way on': action('redeemed', { goOn: '#' }),
    denied: action('denied'),
    cancelled: action('cancelled'),
    expired: action('expired'),
  },
  consent: {
    scopes: { ...CONSENT, ...NOTHING_MORE, scopes: ['profile', 'email', 'offline_access'] },
    'with a logo': { ...CONSENT, ...NOTHING_MORE, scopes: ['profile'], logo: LOGO },
    everything: {
      ...CONSENT,
      scopes: ['address'],
      claims: ['birthdate'],
      resources: { 'https://api.example.com': ['read', 'write'] },
      details: ['{\n  "type": "payment"\n}'],
    },
    nothing: {
      ...CONSENT,
      ...NOTHING_MORE,
      request: { ...REQUEST, client: { ...REQUEST.client, host: 'com.example.app:' } },
      scopes: [],
    },
  },
  switch: {
    asked: { client: REQUEST.client.name, signedInAs: 'Bob Sawyer', urls: { finish: '#', cancel: '#' } },
  },
  landing: LANDING,
  request: WAITING_REQUEST,
  scan: SCAN,
  manifest: MANIFEST,
  confirm: CONFIRM,
  done: DONE,
  devices: DEVICES,
  error: ERRORS,
};
