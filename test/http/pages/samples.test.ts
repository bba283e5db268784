import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Pages } from '../../../src/http/pages/page-data.ts';
import { SAMPLES } from '../../../src/http/pages/samples.ts';

const SOURCES = new URL('../../../src/', import.meta.url);
const PAGE_DATA = read('http/pages/page-data.ts');

/** The codes that only apps get, as JSON. */
const OF_APPS = ['invalid_token', 'insufficient_scope', 'invalid_dpop_proof', 'use_dpop_nonce'].concat(
  'insufficient_user_authentication',
  'app_refused',
);

type Sample = Readonly<Record<string, unknown>>;

interface Matrix {
  /** Returns the state that a sample shows. */
  readonly stateOf: (sample: Sample) => string;
  /** All states of the page, from the types. */
  readonly states: readonly string[];
  /**
   * The optional members of the page data, as paths such as `ticket.checkCode`. Each has a list of the states in which
   * the samples must show the page with and without the member. `undefined` stands for all states. An empty list
   * demands only one sample with the member and one without it, in any state.
   */
  readonly options: Readonly<Record<string, readonly string[] | undefined>>;
}

/** The states in which the QR page offers other ways to sign in. On a phone, these ways come first. */
const OFFERING = ['waiting', 'expired', 'cancelled: browser', 'cancelled: check code'];
const ON_PHONES = OFFERING.map(onPhone);
const ANYWHERE = [...OFFERING, ...ON_PHONES];

const MATRIX: { readonly [Name in keyof Pages]: Matrix } = {
  qr: {
    stateOf: ({ ticket, isPhone }) => qrState(ticket as Pages['qr']['ticket'], isPhone === true),
    states: [
      ...membersOf('ticket/ticket.ts', 'TicketState', /readonly state: '(\w+)'|'(expired)'/g).filter(
        (state) => state !== 'cancelled',
      ),
      ...ANYWHERE,
    ],
    options: {
      isPhone: [],
      otherWays: ANYWHERE,
      passkey: ANYWHERE,
      hasPasskey: OFFERING,
      appUrl: ON_PHONES,
      showAddress: ['waiting'],
      typeAt: ['waiting'],
      signedInAs: ['waiting', 'approved'],
      'request.loginHint': ['waiting'],
      appName: ['waiting'],
      enrolment: ['waiting'],
      enrolByPhone: ['waiting'],
      codeMark: [],
      'ticket.phoneIsSigningIn': ['waiting'],
      'ticket.phone': ['scanned'],
      'ticket.number': ['scanned'],
      tapsNumber: ['scanned'],
      typesNumber: ['scanned'],
      ask: ['waiting'],
      'ticket.asked': ['waiting'],
      'ticket.checkCode': ['approved'],
      'ticket.switchAccount': ['approved'],
    },
  },
  offer: {
    stateOf: ({ state }) => `${state}`,
    states: ['offered', 'approved', 'refused'],
    options: { options: [] },
  },
  action: {
    stateOf: ({ state }) => `${state}`,
    states: membersOf('ticket/ticket.ts', 'TicketState', /readonly state: '(\w+)'|'(expired)'/g),
    options: {
      ticket: ['waiting'],
      isPhone: ['waiting'],
      goOn: ['redeemed'],
      showAddress: ['waiting'],
      typeAt: ['waiting'],
      appName: ['waiting'],
      codeMark: [],
      'ticket.phoneIsSigningIn': ['waiting'],
      'ticket.phone': [],
      'ticket.checkCode': ['approved'],
    },
  },
  consent: oneState(['scopes', 'claims', 'resources', 'details', 'logo']),
  switch: oneState([]),
  // There is no sample with `scansItself`, because such a page leads to the next page immediately.
  landing: oneState(['csrf', 'openInApp', 'signIn']),
  request: oneState([]),
  scan: oneState(['typing', 'typing.mistyped', 'inApp', 'inApp.openUrl', 'isShareForeign']),
  manifest: oneState([]),
  confirm: {
    stateOf: ({ unmet, challenge }) => `${unmet ?? Object.keys(challenge ?? { none: true })[0]}`,
    states: [
      'none',
      ...membersOf('ticket/ticket.ts', 'UnmetRequirement', /'(\w+)'/g),
      ...membersOf('http/hooks/approve-guard.ts', 'Challenge', /readonly (\w+):/g),
    ],
    options: {
      logo: ['none'],
      action: ['none', 'passkey', 'question'],
      backchannel: ['none'],
      'client.host': ['none'],
      'browser.name': ['none'],
      'browser.place': ['none'],
      typesNumber: ['none', 'passkey'],
      durations: ['none', 'passkey'],
      grants: ['none', 'passkey'],
      claims: ['none', 'passkey'],
      resources: ['none', 'passkey'],
      numbers: ['none', 'passkey', 'question'],
      canEnrol: ['enrolled'],
      // A sign-in on the phone does not enrol the browser.
      signInAgain: membersOf('ticket/ticket.ts', 'UnmetRequirement', /'(\w+)'/g).filter(
        (unmet) => unmet !== 'enrolled',
      ),
    },
  },
  done: {
    stateOf: ({ state, because }) => `${because ?? state}`,
    states: [
      'approved',
      'redeemed',
      ...membersOf('ticket/ticket.ts', 'DeniedTicket', /because: (.*?) \| UnmetRequirement;/g).flatMap((list) =>
        [...list.matchAll(/'(\w+)'/g)].map(([, because]) => `${because}`),
      ),
      ...membersOf('ticket/ticket.ts', 'UnmetRequirement', /'(\w+)'/g),
    ],
    options: {
      'browser.name': ['approved', 'redeemed'],
      action: ['approved', 'redeemed', 'person'],
      backchannel: ['redeemed'],
      goOn: ['approved'],
      checkCode: ['approved'],
      hadFinished: ['report'],
      naming: ['redeemed'],
    },
  },
  devices: oneState([
    'browsers',
    'known',
    'requests',
    'passkeys',
    'durations',
    'enrol',
    'push',
    'passkeysUrl',
    'unreached',
    'ended',
  ]),
  error: {
    stateOf: ({ code, reason }) => (reason === undefined ? `${code}` : `${code}.${reason}`),
    states: errorStates(),
    options: {
      home: ['no_interaction'],
      back: [],
      again: [],
      scan: [],
      retryAfter: [],
      details: [],
      setup: ['no_interaction'],
    },
  },
};

describe('the samples of the pages', () => {
  for (const [name, { stateOf, states, options }] of Object.entries(MATRIX)) {
    const samples: readonly Sample[] = samplesOf(name);

    it(`show each state of ${name}, and no other`, () => {
      expect(states).not.to.be.empty;
      expect([...new Set(samples.map(stateOf))]).to.have.members([...new Set(states)]);
    });

    it(`show ${name} with each option and without it, in each state where that matters`, () => {
      const missing = Object.entries(options).flatMap(([option, where = states]) => {
        const among = where.length === 0 ? [undefined] : where;
        return among.flatMap((state) => {
          const there = samples.filter((sample) => state === undefined || stateOf(sample) === state);
          const given = there.map((sample) => isGiven(sample, option));
          return [
            ...(given.includes(true) ? [] : [`${state ?? name} with ${option}`]),
            ...(given.includes(false) ? [] : [`${state ?? name} without ${option}`]),
          ];
        });
      });
      expect(missing).to.deep.equal([]);
    });
  }

  it('show each part of the page data that can be absent or empty', () => {
    for (const name of ['qr', 'consent', 'landing', 'scan', 'devices', 'error'] as const) {
      const [, body = ''] = new RegExp(`^ {2}${name}: {\\n([\\s\\S]*?)^ {2}};`, 'm').exec(PAGE_DATA) ?? [];
      expectOptions(name, optionsIn(body, 4));
    }
    const [, view = ''] = /export interface PhoneView {\n([\s\S]*?)\n}/.exec(PAGE_DATA) ?? [];
    const listed = [...Object.keys(MATRIX.confirm.options), ...Object.keys(MATRIX.done.options)];
    // Only the script looks at `follow`.
    const states = ['unmet', 'challenge', 'because', 'follow'];
    expect([...listed, ...states].filter((option) => !option.includes('.'))).to.include.members(
      optionsIn(view, 2).filter((option) => option !== 'scopes'),
    );
  });

  it('show the confirm page of a request for no scope but openid', () => {
    expect(Object.values(SAMPLES.confirm).some(({ scopes }) => scopes.join() === 'openid')).to.equal(true);
  });
});

function samplesOf(name: string): readonly Sample[] {
  const samples: Readonly<Record<string, Readonly<Record<string, object>>>> = SAMPLES;
  return Object.values(samples[name] ?? {}).map((sample) => ({ ...sample }));
}

function expectOptions(name: keyof Pages, found: readonly string[]): void {
  const states = ['reason', 'scansItself'];
  expect([...Object.keys(MATRIX[name].options), ...states], name).to.include.members([...found]);
}

/** Returns the names of the fields that can be absent, empty or false. */
function optionsIn(body: string, indent: number): string[] {
  const fields = body.matchAll(new RegExp(`^ {${indent}}readonly (\\w+)(\\?)?: (.*)$`, 'gm'));
  return [...fields]
    .filter(([, , mark, type = '']) => mark || type.startsWith('boolean') || /^readonly .*\[\]|^Readonly</.test(type))
    .map(([, field]) => `${field}`);
}

function isGiven(sample: Sample, path: string): boolean {
  const value = path.split('.').reduce<unknown>((at, key) => Object(at)[key], sample);
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== false;
}

/** Returns the matrix of a page with one state. */
function oneState(options: readonly string[]): Matrix {
  return {
    stateOf: () => 'the page',
    states: ['the page'],
    options: Object.fromEntries(options.map((option) => [option, undefined])),
  };
}

function qrState({ state, because }: Pages['qr']['ticket'], isPhone: boolean): string {
  const name = state === 'cancelled' ? `${state}: ${because}` : state;
  return isPhone ? onPhone(name) : name;
}

function onPhone(state: string): string {
  return `${state}, on a phone`;
}

/** Returns each error that a page shows, with each of its reasons. */
function errorStates(): string[] {
  const codes = membersOf('ticket/errors.ts', 'ErrorCode', /'(\w+)'/g).filter((code) => !OF_APPS.includes(code));
  const texts = Object.keys(JSON.parse(read('../views/locales/en.json')));
  const reasons = membersOf('ticket/errors.ts', 'ErrorReason', /'([\w-]+)'/g);
  return [
    ...codes,
    ...codes.flatMap((code) =>
      reasons.filter((reason) => texts.includes(`error.${code}.${reason}`)).map((reason) => `${code}.${reason}`),
    ),
  ];
}

/** Returns the members of a type, or of the types that it is made of in the same file. */
function membersOf(file: string, type: string, member: RegExp): string[] {
  const source = read(file);
  const [, alias = ''] = new RegExp(`type ${type} =([^;]+(?:;[^;]*?})*);`).exec(source) ?? [];
  const [, body = ''] = new RegExp(`interface ${type}\\b[^{]*{([\\s\\S]*?)\\n}`).exec(source) ?? [];
  const whole = type === 'TicketState' ? source : alias + body;
  const found = [...whole.matchAll(member)].map(([, one, other]) => `${one ?? other}`);
  expect(found, type).not.to.be.empty;
  return [...new Set(found)];
}

function read(path: string): string {
  return readFileSync(new URL(path, SOURCES), 'utf8');
}
