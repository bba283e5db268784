import type { ErrorCode } from '../../ticket/errors.ts';
import type { SignInRequest } from '../../ticket/ticket.ts';
import type { DrawnView } from '../ticket-view/browser-view.ts';
import type { BrowserEntry, KnownBrowserEntry, Pages, PhoneView } from './page-data.ts';

/** Sample data for each page in each of its states. A deployment's templates are rendered with it at start-up. */
export type Samples = { readonly [Name in keyof Pages]: Readonly<Record<string, Pages[Name]>> };

const REQUEST: SignInRequest = {
  client: { id: 'app', name: 'Sample app', host: 'app.example.com' },
  scopes: ['openid', 'profile', 'email'],
  locales: [],
  requirements: {},
};

const CODE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37"><path fill="#fff" d="M0 0h37v37H0z"/><path d="M4 4h7v7H4zM26 4h7v7h-7zM4 26h7v7H4zM14 14h9v9h-9z"/></svg>';

const NOTHING_MORE = { details: [], resources: {}, claims: [] };

function qr(ticket: Omit<DrawnView, 'version' | 'expiresIn'>, more: Partial<Pages['qr']> = {}): Pages['qr'] {
  const code = { url: 'https://id.example.com/qr/sample', svg: CODE, rotatesIn: 9.5, shortCode: 'QLMY-2568' };
  return {
    request: REQUEST,
    isPhone: false,
    ticket: { version: 1, expiresIn: 96, ...(ticket.state === 'waiting' && { qr: code }), ...ticket },
    urls: { self: '#', renew: '#', finish: '#', cancel: '#' },
    otherWays: [{ url: '#', label: 'Sign in with a password' }],
    lasts: { scan: 120, decide: 120, finish: 120 },
    codeGrace: 20,
    showAddress: false,
    ...more,
  };
}

function phone(state: PhoneView['state'], more: Partial<PhoneView> = {}): PhoneView {
  return {
    state,
    version: 2,
    expiresIn: 96,
    client: REQUEST.client,
    scopes: REQUEST.scopes,
    claims: [],
    resources: {},
    browser: { name: 'Firefox', system: 'Windows', place: { city: 'São Paulo', country: 'BR' } },
    shownAgo: 7,
    account: 'Alice Liddell',
    csrf: 'sample',
    ...more,
  };
}

const signInAgain = '#';

/** Returns data of the error page. Only errors with different pages have samples. */
function error(code: ErrorCode, more: Partial<Pages['error']> = {}): Pages['error'] {
  return { code, ...more };
}

const CODES = { prefix: 'https://id.example.com/qr/', length: 46 };

const HERE: BrowserEntry = {
  id: 'sample-1',
  name: 'Firefox',
  system: 'Windows',
  place: { city: 'São Paulo', country: 'BR' },
  signedInAt: '2026-01-01T12:00:00Z',
  signedInAgo: 270_000,
  lastUsedAt: '2026-01-04T14:58:00Z',
  lastUsedAgo: 120,
  isHere: true,
  clients: [
    { id: 'app', name: 'Sample app', hosts: ['app.example.com', 'app.example.org'] },
    { id: 'another', name: 'Another app', hosts: ['com.example.app:'] },
    { id: 'third', name: 'Third app', hosts: [] },
  ],
};

const ELSEWHERE: BrowserEntry = {
  id: 'sample-2',
  signedInAt: '2025-01-01T12:00:00Z',
  signedInAgo: 40_000_000,
  lastUsedAt: '2026-01-01T12:00:00Z',
  lastUsedAgo: 270_000,
  isHere: false,
  clients: [],
};

const KNOWN: KnownBrowserEntry = {
  id: 'sample-3',
  name: 'Firefox',
  system: 'Windows',
  place: { city: 'São Paulo', country: 'BR' },
  trustedAt: '2026-01-01T12:00:00Z',
  trustedAgo: 270_000,
  lastUsedAt: '2026-01-04T14:58:00Z',
  lastUsedAgo: 120,
  isHere: true,
};

export const SAMPLES: Samples = {
  qr: {
    waiting: qr({ state: 'waiting' }),
    'waiting, on a phone': qr({ state: 'waiting' }, { isPhone: true }),
    'waiting, on a phone with an app': qr({ state: 'waiting' }, { isPhone: true, appUrl: '#' }),
    'waiting, on a phone with a passkey': qr({ state: 'waiting' }, { isPhone: true, passkey: '{}' }),
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
    'signing in on the phone': qr({ state: 'waiting', phoneIsSigningIn: true }),
    scanned: qr({ state: 'scanned' }),
    'scanned by a known phone': qr({ state: 'scanned', phone: { name: 'Safari', system: 'iOS' } }),
    'check code': qr({ state: 'approved', checkCode: true }),
    switch: qr({ state: 'approved', checkCode: false, switchAccount: true }, { signedInAs: 'Bob Sawyer' }),
    'switch from the last account': qr({ state: 'approved', checkCode: false, switchAccount: true }),
    finishing: qr({ state: 'redeemed' }),
    denied: qr({ state: 'denied' }),
    expired: qr({ state: 'expired' }),
    cancelled: qr({ state: 'cancelled', because: 'browser' }),
    'wrong codes': qr({ state: 'cancelled', because: 'check code' }),
  },
  consent: {
    scopes: {
      ...NOTHING_MORE,
      request: REQUEST,
      account: 'Alice Liddell',
      scopes: ['profile', 'email', 'offline_access'],
      urls: { grant: '#', cancel: '#' },
    },
    everything: {
      request: REQUEST,
      account: 'Alice Liddell',
      scopes: ['address'],
      claims: ['birthdate'],
      resources: { 'https://api.example.com': ['read', 'write'] },
      details: ['{\n  "type": "payment"\n}'],
      urls: { grant: '#', cancel: '#' },
    },
    nothing: {
      ...NOTHING_MORE,
      request: { ...REQUEST, client: { ...REQUEST.client, host: 'com.example.app:' } },
      account: 'Alice Liddell',
      scopes: [],
      urls: { grant: '#', cancel: '#' },
    },
  },
  switch: {
    asked: { client: REQUEST.client.name, signedInAs: 'Bob Sawyer', urls: { finish: '#', cancel: '#' } },
  },
  landing: {
    'by hand': { csrf: 'sample', scansItself: false },
    'with an app': { csrf: 'sample', scansItself: false, openInApp: '#' },
    'with an app, before the sign-in': { scansItself: false, openInApp: '#', signIn: '#' },
  },
  scan: {
    camera: { codes: CODES, manifest: '#' },
    typing: { codes: CODES, manifest: '#', typing: { csrf: 'sample', longest: 24 } },
    mistyped: { codes: CODES, manifest: '#', typing: { csrf: 'sample', longest: 24, mistyped: 'QLMY-2' } },
    'in an app': { codes: CODES, manifest: '#', inApp: { name: 'Instagram', openUrl: '#' } },
    'in an app that opens nothing': { codes: CODES, manifest: '#', inApp: { name: 'WeChat', openUrl: undefined } },
    'shared by mistake': { codes: CODES, manifest: '#', isShareForeign: true },
  },
  manifest: {
    app: { start: '/qr/scan', scope: '/', share: { title: 'title', text: 'text', url: 'url' } },
  },
  confirm: {
    asked: phone('scanned'),
    'little known': phone('scanned', { browser: {}, scopes: ['openid'], shownAgo: 90 }),
    'with consent': phone('scanned', {
      claims: ['birthdate'],
      resources: { 'https://api.example.com': ['read', 'write'] },
    }),
    'another account': phone('scanned', { unmet: 'account', signInAgain }),
    'signed in by QR': phone('scanned', { unmet: 'local', signInAgain }),
    'not fresh': phone('scanned', { unmet: 'freshness', signInAgain }),
    'not strong enough': phone('scanned', { unmet: 'acr' }),
    passkey: phone('scanned', { challenge: { passkey: {} } }),
    'no passkey': phone('scanned', { challenge: { unavailable: true } }),
    question: phone('scanned', { challenge: { question: 'What is your PIN?' } }),
  },
  done: {
    approved: phone('approved'),
    'check code': phone('approved', { checkCode: '123456' }),
    denied: phone('denied', { because: 'person' }),
    reported: phone('denied', { because: 'report' }),
    risk: phone('denied', { because: 'risk' }),
    blocked: phone('denied', { because: 'blocked' }),
    unmet: phone('denied', { because: 'acr' }),
    redeemed: phone('redeemed', { naming: { url: '#', csrf: 'sample', ticket: 'sample' } }),
  },
  devices: {
    none: { account: 'Alice Liddell', csrf: 'sample', self: '#', browsers: [], known: [] },
    one: {
      account: 'Alice Liddell',
      csrf: 'sample',
      self: '#',
      browsers: [HERE],
      known: [],
      ended: 'one',
      unreached: true,
    },
    two: {
      account: 'Alice Liddell',
      csrf: 'sample',
      self: '#',
      browsers: [HERE, { ...ELSEWHERE, label: 'Kitchen tablet' }],
      known: [],
      passkeysUrl: '#',
    },
    known: {
      account: 'Alice Liddell',
      csrf: 'sample',
      self: '#',
      browsers: [],
      known: [KNOWN, { ...KNOWN, id: 'sample-4', isHere: false }],
    },
  },
  error: {
    'with a way back': error('wrong_check_code', { back: '#' }),
    'with a way home': error('no_interaction', { home: 'https://app.example.com' }),
    'not found': error('not_found'),
    expired: error('over', { reason: 'expired' }),
    'too often': error('too_many_requests', { retryAfter: 17 }),
    'wrong numbers': error('too_many_requests', { reason: 'check-codes', retryAfter: 86_400 }),
    unavailable: error('store_unavailable', { again: '#' }),
    fault: error('server_error', { again: '#' }),
    'a wrong setup': error('no_interaction', { setup: 'interactions.url of the provider is not qr.interactionUrl' }),
    'too slow': error('hook_timeout', { again: '#' }),
    'of an app': error('invalid_request', {
      reason: 'app',
      details: { error: 'invalid_client', description: 'client is invalid' },
    }),
  },
};
