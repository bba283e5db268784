import type { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { type FailureEvent, QrLoginError, type QrLoginOptions } from '../../../src/index.ts';
import { passkeys } from '../../../src/passkeys.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

/** Wraps a hook of the deployment. Until `break` is called the hook works; after that, it behaves like the fault. */
class Breakable {
  #fault: (() => unknown) | undefined;

  readonly around =
    <Arguments extends unknown[]>(healthy: (...given: Arguments) => unknown) =>
    (...given: Arguments): never =>
      (this.#fault === undefined ? healthy(...given) : this.#fault()) as never;

  break(fault: (() => unknown) | undefined): void {
    this.#fault = fault;
  }
}

const PAGE = { headers: { accept: 'text/html' } };
const JSON_ONLY = { headers: { accept: 'application/json' } };
const KINDS = { page: PAGE, JSON: JSON_ONLY };
type Kind = keyof typeof KINDS;

/** A hook, and a request that calls it. */
interface Case {
  readonly options: (breakable: Breakable) => Partial<QrLoginOptions>;
  /** Brings a sign-in up to the request while the hook works. @returns a function that sends the request */
  readonly prepare: (world: World) => Promise<(kind: Kind) => Promise<Answer>>;
  /** The kinds of answers that the request can get. @default both */
  readonly kinds?: readonly Kind[];
  /** The statuses if the hook works, and if it returns null. */
  readonly good: number;
  readonly whenNull: number;
}

const openQrPage: Case['prepare'] = async (world) => {
  const browser = new BrowserPerson(world);
  await browser.start();
  return (kind) => browser.agent.get(browser.at, KINDS[kind]);
};
const openScanPage: Case['prepare'] = async (world) => {
  const phone = await new PhonePerson(world).signIn();
  return (kind) => phone.agent.get(`${world.issuer}/qr/scan`, KINDS[kind]);
};
const openTicket: Case['prepare'] = async (world) => {
  const { browser, phone } = await world.meet();
  await phone.scan(await browser.code());
  return (kind) => phone.agent.get(phone.at, KINDS[kind]);
};
const approve: Case['prepare'] = async (world) => {
  const { browser, phone } = await world.meet();
  await phone.scan(await browser.code());
  const form = { csrf: phone.csrf, decision: 'approve', proof: '1234' };
  return (kind) => phone.agent.post(phone.at, { form, ...KINDS[kind] });
};
const scan: Case['prepare'] = async (world) => {
  const { browser, phone } = await world.meet();
  return async (kind) => {
    const code = await browser.code();
    const { csrf } = (await phone.land(code)).json();
    return phone.agent.post(code, { form: { csrf: `${csrf}` }, ...KINDS[kind] });
  };
};
const signInWithPasskey: Case['prepare'] = async (world) => {
  const browser = new BrowserPerson(world);
  await browser.start();
  const proof = JSON.stringify({ id: 'a key', response: {} });
  return (kind) => browser.agent.post(`${browser.at}/qr/passkey`, { form: { proof }, ...KINDS[kind] });
};
const openCodeSignedOut: Case['prepare'] = async (world) => {
  const browser = new BrowserPerson(world);
  await browser.start();
  return async (kind) => new PhonePerson(world).agent.get(await browser.code(), KINDS[kind]);
};

function ownPasskeys(records: Partial<Parameters<typeof passkeys>[0]>): ReturnType<typeof passkeys> {
  const none = { ofAccount: () => [], find: () => undefined, used: () => undefined };
  return passkeys({ issuer: 'http://localhost', withoutPasskey: 'allow', ...none, ...records });
}

const CASES: Readonly<Record<string, Case>> = {
  findAccount: {
    options: ({ around }) => ({ findAccount: around(() => ({ name: 'Alice' })) }),
    prepare: openScanPage,
    good: 200,
    whenNull: 403,
  },
  signIn: {
    options: ({ around }) => ({ signIn: around(() => '/sign-in') }),
    prepare: openCodeSignedOut,
    kinds: ['page'],
    good: 303,
    whenNull: 401,
  },
  loginPage: {
    options: ({ around }) => ({ loginPage: around(() => undefined) }),
    prepare: openQrPage,
    good: 200,
    whenNull: 200,
  },
  otherWays: {
    options: ({ around }) => ({ otherWays: around(() => []) }),
    prepare: openQrPage,
    good: 200,
    whenNull: 500,
  },
  assess: {
    options: ({ around }) => ({ assess: around(() => 'allow') }),
    prepare: scan,
    good: 303,
    whenNull: 500,
  },
  consent: {
    options: ({ around }) => ({ consent: around(() => 'browser') }),
    prepare: openQrPage,
    good: 200,
    whenNull: 200,
  },
  assurance: {
    options: ({ around }) => ({ assurance: around((onPhone) => onPhone) }),
    prepare: openScanPage,
    good: 200,
    whenNull: 200,
  },
  enrolled: {
    options: ({ around }) => ({ enrolled: around(() => false) }),
    prepare: openTicket,
    good: 200,
    whenNull: 500,
  },
  'guard.challenge': {
    options: ({ around }) => ({ guard: { challenge: around(() => undefined), verify: () => ({ amr: [] }) } }),
    prepare: openTicket,
    good: 200,
    whenNull: 200,
  },
  'guard.verify': {
    options: ({ around }) => ({
      guard: { challenge: () => ({ question: 'Your PIN' }), verify: around(() => ({ amr: ['pin'] })) },
    }),
    prepare: approve,
    good: 303,
    whenNull: 500,
  },
  'passkeySignIn.options': {
    options: ({ around }) => ({
      passkeySignIn: { options: around(() => ({})), verify: () => ({ accountId: 'a11ce', amr: [] }) },
    }),
    prepare: openQrPage,
    good: 200,
    whenNull: 500,
  },
  'passkeySignIn.verify': {
    options: ({ around }) => ({
      passkeySignIn: { options: () => ({}), verify: around(() => ({ accountId: 'a11ce', amr: [] })) },
    }),
    prepare: signInWithPasskey,
    good: 303,
    whenNull: 500,
  },
  'passkeys.ofAccount': {
    options: ({ around }) => ({ guard: ownPasskeys({ ofAccount: around(() => []) }).guard }),
    prepare: openTicket,
    good: 200,
    whenNull: 500,
  },
  'passkeys.find': {
    options: ({ around }) => ({ passkeySignIn: ownPasskeys({ find: around(() => undefined) }).signIn }),
    prepare: signInWithPasskey,
    good: 403,
    whenNull: 403,
  },
};

const BOOM = new Error('boom');

/** A way in which a hook breaks, and the message of the event that reports it. */
interface Fault {
  /** @param whenAnswered calls an act once the request has been answered without the hook */
  readonly breaks: (whenAnswered: (act: () => void) => void) => unknown;
  readonly says: (name: string) => RegExp;
  readonly status: 500 | 503;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'throws an Error': {
    breaks: () => {
      throw BOOM;
    },
    says: (name) => message(name, 'failed: boom'),
    status: 500,
  },
  'throws undefined': {
    breaks: () => {
      throw undefined;
    },
    says: (name) => message(name, 'threw undefined, which is no Error'),
    status: 500,
  },
  'throws a text': {
    breaks: () => {
      throw 'boom';
    },
    says: (name) => message(name, 'threw "boom", which is no Error'),
    status: 500,
  },
  'rejects with an Error': {
    breaks: () => Promise.reject(BOOM),
    says: (name) => message(name, 'failed: boom'),
    status: 500,
  },
  'rejects with undefined': {
    breaks: () => Promise.reject(),
    says: (name) => message(name, 'threw undefined, which is no Error'),
    status: 500,
  },
  'returns a thenable that throws': {
    breaks: () => ({
      // biome-ignore lint/suspicious/noThenProperty: query builders of ORMs are such objects.
      then: () => {
        throw BOOM;
      },
    }),
    says: (name) => message(name, 'failed: boom'),
    status: 500,
  },
  'returns a number': {
    breaks: () => 7,
    says: (name) => message(name, 'must return .+, not 7'),
    status: 500,
  },
  'resolves with a list of numbers': {
    breaks: async () => [7],
    says: (name) => message(name, 'must return .+, not a list of 7'),
    status: 500,
  },
  'never settles': {
    breaks: () => new Promise(() => undefined),
    says: (name) => message(nameWithDeadline(name), 'did not answer within 1 s'),
    status: 503,
  },
  'rejects after its deadline': {
    breaks: (whenAnswered) => new Promise((_, reject) => whenAnswered(() => reject(BOOM))),
    says: (name) => message(nameWithDeadline(name), 'did not answer within 1 s'),
    status: 503,
  },
};

/** Returns a pattern for the message of the event. @param rest the source of a regular expression */
function message(name: string, rest: string): RegExp {
  return new RegExp(`^${name.replaceAll('.', '\\.')}\\(\\) ${rest}$`);
}

/**
 * Returns the name of the function whose deadline ends first. The functions of `passkeys()` run within a hook of the
 * plugin. Only the deadline of that hook is shortened to 1 s here.
 */
function nameWithDeadline(name: string): string {
  if (!name.startsWith('passkeys.')) return name;
  return name === 'passkeys.find' ? 'passkeySignIn.verify' : 'guard.challenge';
}

/** An answer of a provider with a broken hook, and the events that were emitted before the answer. */
interface HookFailure {
  readonly kind: Kind;
  readonly answer: Answer;
  readonly failed: readonly { readonly error: QrLoginError; readonly event: FailureEvent }[];
  readonly serverErrors: readonly Error[];
  readonly koaErrors: readonly unknown[];
}

interface Outcome {
  readonly broken: ReadonlyMap<string, readonly HookFailure[]>;
  readonly whenNull: readonly number[];
  readonly afterwards: number;
}

/** Runs the request of a case once for each fault and kind of answer, and once more with the working hook. */
async function runCase({ options, prepare: meet, kinds = ['page', 'JSON'] }: Case): Promise<Outcome> {
  const breakable = new Breakable();
  const broken = new Map<string, HookFailure[]>();
  const whenNull: number[] = [];
  let afterwards = 0;
  const qrLogin = { deadlines: { hook: 1 }, ...options(breakable) };
  await World.during({ qrLogin }, async (world) => {
    const ask = await meet(world);
    world.provider.silent = true;
    const events: EventEmitter = world.provider;
    for (const [name, { breaks }] of Object.entries(FAULTS)) {
      for (const kind of kinds) {
        const failed: { error: QrLoginError; event: FailureEvent }[] = [];
        const serverErrors: Error[] = [];
        const koaErrors: unknown[] = [];
        const onFailed = (_ctx: unknown, error: QrLoginError, event: FailureEvent): unknown =>
          failed.push({ error, event });
        const onServerError = (_ctx: unknown, error: Error): unknown => serverErrors.push(error);
        const onError = (error: unknown): unknown => koaErrors.push(error);
        events.on('qr_login.failed', onFailed).on('server_error', onServerError).on('error', onError);
        const later: (() => void)[] = [];
        breakable.break(() => breaks((act) => later.push(act)));
        const answer = await ask(kind);
        breakable.break(undefined);
        for (const act of later) act();
        events.off('qr_login.failed', onFailed).off('server_error', onServerError).off('error', onError);
        broken.set(name, [...(broken.get(name) ?? []), { kind, answer, failed, serverErrors, koaErrors }]);
      }
    }
    for (const nothing of [() => null, async () => null]) {
      breakable.break(nothing);
      whenNull.push((await ask(kinds[0] ?? 'page')).status);
    }
    breakable.break(undefined);
    afterwards = (await ask(kinds[0] ?? 'page')).status;
  });
  return { broken, whenNull, afterwards };
}

function expectAnswer({ kind, answer }: HookFailure, status: number): void {
  expect(answer.status, kind).to.equal(status);
  expect(answer.headers.get('retry-after'), kind).to.equal(status === 503 ? '2' : null);
  expect(answer.headers.get('content-security-policy'), kind).to.include("frame-ancestors 'none'");
  expect(answer.headers.get('cache-control'), kind).to.equal('no-store');
  const code = status === 503 ? 'hook_timeout' : 'server_error';
  if (kind === 'page') expect(answer.text).to.include(`data-error="${code}"`).and.to.include('Try again</a>');
  else expect(answer.json()).to.have.all.keys('error', 'error_description').and.include({ error: code });
  // The name of the hook and its error are for the operator.
  expect(answer.text).not.to.match(/boom|\(\)/);
}

function expectReport({ answer, failed, serverErrors, koaErrors }: HookFailure, says: RegExp): void {
  expect(failed).to.have.length(1);
  const [{ error, event } = {}] = failed;
  expect(error).to.be.instanceOf(QrLoginError);
  expect(event).to.include({ code: answer.status === 503 ? 'hook_timeout' : 'server_error', from: '127.0.0.1' });
  const [cause] = serverErrors;
  expect(cause).to.be.instanceOf(Error);
  expect(serverErrors).to.deep.equal([error?.cause]);
  expect(koaErrors).to.deep.equal([error?.cause]);
  expect(cause?.message).to.match(says);
  if (cause?.message.endsWith('failed: boom')) expect(cause.cause).to.equal(BOOM);
}

describe('a hook that breaks', () => {
  const outcomes = new Map<string, Outcome>();
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): unknown => unhandled.push(reason);

  before(async () => {
    process.on('unhandledRejection', onUnhandled);
    // Run all cases at the same time, because each world waits for two deadlines.
    await Promise.all(
      Object.entries(CASES).map(async ([name, one]) => {
        outcomes.set(name, await runCase(one));
      }),
    );
  });

  after(() => process.off('unhandledRejection', onUnhandled));

  for (const [name, { good, whenNull }] of Object.entries(CASES)) {
    for (const [fault, { says, status }] of Object.entries(FAULTS)) {
      it(`is answered: ${name} ${fault}`, () => {
        const answers = outcomes.get(name)?.broken.get(fault) ?? [];
        expect(answers).not.to.be.empty;
        for (const broken of answers) expectAnswer(broken, status);
      });

      it(`is reported: ${name} ${fault}`, () => {
        for (const broken of outcomes.get(name)?.broken.get(fault) ?? []) expectReport(broken, says(name));
      });
    }

    it(`may return null instead of undefined: ${name}`, () => {
      expect(outcomes.get(name)?.whenNull).to.deep.equal([whenNull, whenNull]);
    });

    it(`leaves the sign-in as it was: ${name}`, () => {
      expect(outcomes.get(name)?.afterwards).to.equal(good);
    });
  }

  it('never ends the process', async () => {
    await setImmediate();
    expect(unhandled).to.deep.equal([]);
  });
});
