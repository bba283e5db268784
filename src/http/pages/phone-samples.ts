import type {
  BrowserEntry,
  BrowserPasskeyEntry,
  KnownBrowserEntry,
  Pages,
  PhoneView,
  RequestEntry,
} from './page-data.ts';
import { LOGO, REQUEST } from './sample-request.ts';

type SamplesOf<Name extends keyof Pages> = Readonly<Record<string, Pages[Name]>>;

function phone(state: PhoneView['state'], more: Partial<PhoneView> = {}): PhoneView {
  return {
    state,
    version: 2,
    expiresIn: 96,
    client: REQUEST.client,
    scopes: REQUEST.scopes,
    grants: false,
    claims: [],
    resources: {},
    browser: { name: 'Firefox', system: 'Windows', place: { city: 'São Paulo', country: 'BR' } },
    shownAgo: 7,
    account: 'Alice Liddell',
    csrf: 'sample',
    urls: { devices: '#', scan: '#' },
    ...more,
  };
}

const CODES = { prefix: 'https://id.example.com/qr/', length: 46 };

export const LANDING: SamplesOf<'landing'> = {
  'by hand': { csrf: 'sample', scansItself: false },
  'with an app': { csrf: 'sample', scansItself: false, openInApp: '#' },
  'with an app, before the sign-in': { scansItself: false, openInApp: '#', signIn: '#' },
};

export const WAITING_REQUEST: SamplesOf<'request'> = {
  'by hand': { csrf: 'sample', opensItself: false },
};

export const SCAN: SamplesOf<'scan'> = {
  camera: { codes: CODES, manifest: '#' },
  typing: { codes: CODES, manifest: '#', typing: { csrf: 'sample', longest: 24 } },
  mistyped: { codes: CODES, manifest: '#', typing: { csrf: 'sample', longest: 24, mistyped: 'QLMY-2' } },
  'in an app': { codes: CODES, manifest: '#', inApp: { name: 'Instagram', openUrl: '#' } },
  'in an app that opens nothing': { codes: CODES, manifest: '#', inApp: { name: 'WeChat', openUrl: undefined } },
  'shared by mistake': { codes: CODES, manifest: '#', isShareForeign: true },
};

export const MANIFEST: SamplesOf<'manifest'> = {
  app: { start: '/qr/scan', scope: '/', share: { title: 'title', text: 'text', url: 'url' } },
};

const signInAgain = '#';
const ACTION = { title: 'Pay €12.50 to the Lighthouse Shop', details: 'Order 4711\nDelivery to 1 Harbour Street' };
/** The access that Approve grants if the phone gives consent. */
const GRANTED: Partial<PhoneView> = {
  grants: true,
  claims: ['birthdate'],
  resources: { 'https://api.example.com': ['read', 'write'] },
};

const WITHOUT_BROWSER: Partial<PhoneView> = { browser: {}, shownAgo: 90 };

export const CONFIRM: SamplesOf<'confirm'> = {
  asked: phone('scanned'),
  'with a logo': phone('scanned', { logo: LOGO }),
  'little known': phone('scanned', { browser: {}, scopes: ['openid'], shownAgo: 90 }),
  'of a device': phone('scanned', { client: { id: 'app', name: 'Sample app' } }),
  'of an app': phone('scanned', { client: { ...REQUEST.client, host: 'com.example.app:' } }),
  'with consent': phone('scanned', GRANTED),
  'for an action': phone('scanned', { action: ACTION, scopes: [] }),
  'for an action, with a passkey': phone('scanned', { action: ACTION, scopes: [], challenge: { passkey: {} } }),
  'for an action, with a question': phone('scanned', {
    action: { title: 'Pay €12.50 to the Lighthouse Shop', details: '' },
    scopes: [],
    challenge: { question: 'What is your PIN?' },
  }),
  'for an action of an app': phone('scanned', {
    action: ACTION,
    scopes: [],
    client: { ...REQUEST.client, host: 'com.example.app:' },
    logo: LOGO,
  }),
  'without a browser': phone('scanned', { ...WITHOUT_BROWSER, ...GRANTED, backchannel: { message: 'W4SC 1207' } }),
  'without a browser, not fresh': phone('scanned', {
    ...WITHOUT_BROWSER,
    backchannel: {},
    unmet: 'freshness',
    signInAgain,
  }),
  'with long names': phone('scanned', {
    client: {
      id: 'app',
      name: 'Association for the Preservation of Lighthouses',
      host: 'members.lighthouses.example.org',
    },
    account: 'alice.liddell.of.wonderland@mail.example.com',
  }),
  'another account': phone('scanned', { unmet: 'account', signInAgain }),
  'another account, which cannot sign in here': phone('scanned', { unmet: 'account' }),
  'signed in by QR': phone('scanned', { unmet: 'local', signInAgain }),
  'signed in by QR, without another sign-in': phone('scanned', { unmet: 'local' }),
  'not fresh': phone('scanned', { unmet: 'freshness', signInAgain }),
  'not fresh, without another sign-in': phone('scanned', { unmet: 'freshness' }),
  'not strong enough': phone('scanned', { unmet: 'acr' }),
  'not strong enough yet': phone('scanned', { unmet: 'acr', signInAgain }),
  'not enrolled': phone('scanned', { unmet: 'enrolled' }),
  'to be enrolled by the phone': phone('scanned', { unmet: 'enrolled', canEnrol: true }),
  passkey: phone('scanned', { challenge: { passkey: {} } }),
  'passkey, with consent': phone('scanned', { challenge: { passkey: {} }, ...GRANTED }),
  'no passkey': phone('scanned', { challenge: { unavailable: true } }),
  'for as long as the user chooses': phone('scanned', { durations: ['session', '8h', '30d'] }),
  'passkey, for as long as the user chooses': phone('scanned', {
    challenge: { passkey: {} },
    durations: ['session', '8h', '30d'],
  }),
  numbers: phone('scanned', { numbers: ['17', '42', '86'] }),
  'a number to type': phone('scanned', { typesNumber: true }),
  'a number to type, and a passkey': phone('scanned', { typesNumber: true, challenge: { passkey: {} } }),
  'numbers, for as long as the user chooses': phone('scanned', {
    numbers: ['17', '42', '86'],
    durations: ['session', '8h', '30d'],
  }),
  'numbers, with consent': phone('scanned', { numbers: ['17', '42', '86'], ...GRANTED }),
  'numbers and a passkey': phone('scanned', { numbers: ['17', '42', '86'], challenge: { passkey: {} } }),
  'numbers and a question': phone('scanned', {
    numbers: ['17', '42', '86'],
    challenge: { question: 'What is your PIN?' },
  }),
  question: phone('scanned', { challenge: { question: 'What is your PIN?' } }),
};

export const DONE: SamplesOf<'done'> = {
  approved: phone('approved'),
  'approved, in an unknown browser': phone('approved', { browser: {} }),
  'check code': phone('approved', { checkCode: '123456' }),
  'check code, for an unknown browser': phone('approved', { checkCode: '123456', browser: {} }),
  redeemed: phone('redeemed'),
  'redeemed, with a name': phone('redeemed', { naming: { url: '#', csrf: 'sample', ticket: 'sample' } }),
  'redeemed, in an unknown browser': phone('redeemed', { browser: {} }),
  'action approved': phone('approved', { action: ACTION }),
  'action with a check code': phone('approved', { action: ACTION, checkCode: '123456' }),
  'action redeemed': phone('redeemed', { action: ACTION }),
  'action approved on the same device': phone('approved', { action: ACTION, goOn: '#' }),
  'action reported after its end': phone('denied', { action: ACTION, because: 'report', hadFinished: true }),
  'action denied': phone('denied', { action: ACTION, because: 'person' }),
  'request approved': phone('approved', { ...WITHOUT_BROWSER, backchannel: {} }),
  'request redeemed': phone('redeemed', { ...WITHOUT_BROWSER, backchannel: { message: 'W4SC 1207' } }),
  'request denied': phone('denied', { ...WITHOUT_BROWSER, backchannel: {}, because: 'person' }),
  'request reported after its end': phone('denied', {
    ...WITHOUT_BROWSER,
    backchannel: {},
    because: 'report',
    hadFinished: true,
  }),
  denied: phone('denied', { because: 'person' }),
  reported: phone('denied', { because: 'report' }),
  'reported after the end': phone('denied', { because: 'report', hadFinished: true }),
  risk: phone('denied', { because: 'risk' }),
  blocked: phone('denied', { because: 'blocked' }),
  'unmet: account': phone('denied', { because: 'account' }),
  'unmet: local': phone('denied', { because: 'local' }),
  'unmet: freshness': phone('denied', { because: 'freshness' }),
  'unmet: acr': phone('denied', { because: 'acr' }),
  'unmet: enrolled': phone('denied', { because: 'enrolled' }),
};

const HERE: BrowserEntry = {
  id: 'sample-1',
  name: 'Firefox',
  system: 'Windows',
  place: { city: 'São Paulo', country: 'BR' },
  signedInAt: '2026-01-01T12:00:00Z',
  signedInAgo: 270_000,
  lastUsedAt: '2026-01-04T14:58:00Z',
  lastUsedAgo: 120,
  signedInBy: 'qr',
  duration: '30d',
  endsIn: 2_322_000,
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
  signedInBy: 'other',
  endsIn: 1_209_600,
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

const NOTHING_THERE: Pages['devices'] = {
  account: 'Alice Liddell',
  csrf: 'sample',
  self: '#',
  scope: '/qr/',
  scan: '#',
  browsers: [],
  known: [],
  requests: [],
};

const WAITING: RequestEntry = {
  id: 'sample-7',
  client: REQUEST.client,
  askedAgo: 12,
  expiresIn: 280,
  url: '#',
  csrf: 'sample',
};

const PASSKEY: BrowserPasskeyEntry = {
  id: 'sample-5',
  name: 'Firefox',
  system: 'Linux',
  place: { country: 'DE', city: 'Berlin' },
  addedAt: '2026-01-01T00:00:00.000Z',
  addedAgo: 86_400,
};

export const DEVICES: SamplesOf<'devices'> = {
  none: NOTHING_THERE,
  'none any more': { ...NOTHING_THERE, ended: 'many' },
  one: { ...NOTHING_THERE, browsers: [HERE], ended: 'one', unreached: true },
  two: {
    ...NOTHING_THERE,
    browsers: [HERE, { ...ELSEWHERE, label: 'Kitchen tablet' }],
    passkeysUrl: '#',
    ended: 'none',
  },
  'for as long as the user chooses': {
    ...NOTHING_THERE,
    durations: ['session', '8h', '30d'],
    browsers: [
      { ...ELSEWHERE, id: 'sample-4', name: 'Safari', system: 'iOS', signedInBy: 'passkey', isHere: true },
      { ...ELSEWHERE, id: 'sample-5', signedInBy: 'password', duration: 'session' },
      { ...ELSEWHERE, id: 'sample-6', signedInBy: 'qr', duration: '8h', endsIn: 28_000 },
    ],
  },
  'requests that wait': {
    ...NOTHING_THERE,
    browsers: [HERE],
    requests: [WAITING, { ...WAITING, id: 'sample-8', client: { id: 'till', name: 'The till' } }],
  },
  'to be notified': { ...NOTHING_THERE, push: { publicKey: 'sample', phones: [] } },
  notified: {
    ...NOTHING_THERE,
    push: {
      publicKey: 'sample',
      phones: [
        {
          id: 'a',
          name: 'Chrome',
          system: 'Android',
          subscribedAt: '2026-01-01T12:00:00Z',
          subscribedAgo: 90_000,
          isHere: true,
        },
        {
          id: 'b',
          name: 'Safari',
          system: 'iOS',
          subscribedAt: '2026-01-01T12:00:00Z',
          subscribedAgo: 900_000,
          isHere: false,
        },
      ],
    },
  },
  'passkeys of browsers': { ...NOTHING_THERE, passkeys: [PASSKEY] },
  'signed in and known': { ...NOTHING_THERE, browsers: [HERE], known: [KNOWN] },
  'to be enrolled': { ...NOTHING_THERE, known: [{ ...KNOWN, enrolled: true }], enrol: { nonce: 'sample' } },
  'to be enrolled, after a sign-in': { ...NOTHING_THERE, enrol: { signIn: '#' } },
  'with everything': {
    ...NOTHING_THERE,
    durations: ['session', '8h', '30d'],
    browsers: [HERE, { ...ELSEWHERE, label: 'Kitchen tablet', signedInBy: 'qr' }],
    known: [{ ...KNOWN, enrolled: true }],
    passkeys: [PASSKEY],
    passkeysUrl: '#',
    enrol: { nonce: 'sample' },
  },
  known: { ...NOTHING_THERE, known: [KNOWN, { ...KNOWN, id: 'sample-4', isHere: false, label: 'Laptop' }] },
};
