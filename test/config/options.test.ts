import { inspect } from 'node:util';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import Koa from 'koa';
import { type Configuration, Provider } from 'oidc-provider';
import { type QrLogin, type QrLoginOptions, qrLogin } from '../../src/index.ts';
import { Elsewhere } from '../support/elsewhere.ts';

const NEEDED: QrLoginOptions = { findAccount: () => ({ name: 'Alice' }), signIn: () => '/sign-in' };
const KEY = 'a key of thirty-two characters or more';

function providerFor(qr: QrLogin, configuration: Configuration = {}): Provider {
  return new Provider('http://localhost:9', {
    clients: [],
    cookies: { keys: [KEY] },
    features: { devInteractions: { enabled: false } },
    interactions: { policy: qr.policy, url: qr.interactionUrl },
    ...configuration,
  });
}

/** Wrong options, each with a pattern for the error's message. */
const WRONG: [Record<string, unknown>, RegExp][] = [
  [{ findAccount: undefined }, /findAccount/],
  [{ findAccount: 'alice' }, /findAccount/],
  [{ signIn: undefined }, /signIn/],
  [{ signIn: '/sign-in' }, /signIn/],
  [{ loginPage: 'password' }, /loginPage/],
  [{ otherWays: [{ path: 'password', label: 'Password' }] }, /otherWays/],
  [{ assess: 'check code' }, /assess.*"check code"/],
  [{ checkCode: 'always' }, /checkCode.*assess/],
  [{ assurance: 'password' }, /assurance/],
  [{ locate: { country: 'DE' } }, /locate/],
  [{ onSignIn: 'mail' }, /onSignIn/],
  [{ limits: { address: { show: 0 } } }, /limits\.address\.show.*1 to 1,000,000/],
  [{ limits: { account: { scan: 1_000_001 } } }, /limits\.account\.scan/],
  [{ limits: { account: { checkCode: 1.5 } } }, /limits\.account\.checkCode/],
  [{ limits: { address: { show: '120' } } }, /limits\.address\.show/],
  [{ limits: { address: { nope: 1 } } }, /limit by address "nope".*show/],
  [{ limits: { foo: {} } }, /limit "foo".*address/],
  [{ guard: {} }, /guard.*challenge and verify/],
  [{ guard: { challenge: () => undefined } }, /guard.*verify/],
  [{ passkeySignIn: {} }, /passkeySignIn.*options and verify/],
  [{ passkeysUrl: 'javascript:alert(1)' }, /passkeysUrl must be a path or an address/],
  [{ durations: '8h' }, /durations must be a list of 1 to 6 different durations/],
  [{ durations: [] }, /durations must be a list/],
  [{ durations: ['8h', '8h'] }, /durations must be a list/],
  [{ durations: ['8'] }, /durations must be a list/],
  [{ durations: ['0h'] }, /durations must be a list/],
  [{ durations: ['1.5h'] }, /durations must be a list/],
  [{ durations: ['401d'] }, /durations must be a list/],
  [{ durations: [8] }, /durations must be a list/],
  [{ durations: ['1h', '2h', '3h', '4h', '5h', '6h', '7h'] }, /durations must be a list/],
  [{ passkeysUrl: '//evil.example' }, /passkeysUrl must be a path or an address/],
  [{ store: {} }, /store/],
  [{ store: new Map() }, /store/],
  [{ store: 'redis://localhost' }, /store/],
  [{ secrets: [] }, /secrets/],
  [{ secrets: ['too short'] }, /secrets.*32/],
  [{ secrets: [KEY, 7] }, /secrets/],
  [{ secrets: KEY }, /secrets must be a list/],
  [{ secrets: null }, /secrets must be a list/],
  [{ limits: null }, /limits must be an object/],
  [{ views: 7 }, /views must be a folder/],
  [{ views: null }, /views must be a folder/],
  [{ views: new URL('https://example.com/') }, /views must be a folder/],
  [{ name: 7 }, /name/],
  [{ shortCode: 'always' }, /shortCode.*true or false/],
  [{ limits: { account: { shortCode: 0 } } }, /limits\.account\.shortCode/],
  [{ clock: 1234 }, /clock/],
  [{ rotation: 0 }, /rotation.*1 to 60/],
  [{ rotation: 61 }, /rotation/],
  [{ rotation: '10' }, /rotation.*not "10"$/],
  [{ rotation: Number.NaN }, /rotation/],
  [{ deadlines: { scan: 0 } }, /deadlines\.scan.*1 to 600/],
  [{ deadlines: { decide: 601 } }, /deadlines\.decide/],
  [{ deadlines: { finish: '60' } }, /deadlines\.finish/],
  [{ deadlines: { finish: Number.POSITIVE_INFINITY } }, /deadlines\.finish/],
  [{ deadlines: 60 }, /deadlines must be an object/],
  [{ deadlines: null }, /deadlines must be an object.*null/],
  [{ deadlines: { scan: null } }, /deadlines\.scan.*null/],
  [{ deadlines: { shown: 1 } }, /deadline "shown".*scan, decide, finish/],
  [{ rotation: null }, /rotation must be a number of seconds.*null/],
  [{ limits: [] }, /limits must be an object|there is no limit/],
  [{ limits: { address: 5 } }, /limits\.address must be an object such as .*not 5$/],
  [{ limits: { address: null } }, /limits\.address must be an object.*null/],
  [{ limits: { account: { scan: null } } }, /limits\.account\.scan.*null/],
  [{ limits: true }, /limits must be an object.*true/],
  [{ name: '' }, /name must be a text that is not empty/],
  [{ name: ' ' }, /name must be a text that is not empty/],
  [{ store: null }, /store must be a Keyv/],
  [{ clock: null }, /clock must be a function/],
  [{ guard: null }, /guard must have/],
  [{ loginPage: null }, /loginPage must be a function/],
  [{ showAddress: null }, /showAddress must be true or false/],
  [{ deadline: { scan: 60 } }, /deadline/],
  [{ streams: 'parked' }, /streams must be 'light' or 'plain'/],
  [{ streams: 'plain', parkStreams: true }, /parkStreams does not work with "plain" streams/],
];

describe('the options', () => {
  for (const [wrong, says] of WRONG) {
    it(`are refused with the reason: ${inspect(wrong, { breakLength: Number.POSITIVE_INFINITY })}`, () => {
      expect(() => qrLogin({ ...NEEDED, ...wrong } as QrLoginOptions)).to.throw(TypeError, says);
    });
  }

  it('are refused with the names of the required options if they are left out', () => {
    expect(() => Reflect.apply(qrLogin, undefined, [])).to.throw(TypeError, /qrLogin needs options: findAccount/);
  });

  it('can come from a prototype, and can be methods of a class', () => {
    class Deployment {
      findAccount = NEEDED.findAccount;
      signIn = NEEDED.signIn;
      guard(): never {
        throw new Error('not an object');
      }
    }
    expect(() => qrLogin(new Deployment() as unknown as QrLoginOptions)).to.throw(TypeError, /guard must have/);
    expect(() => qrLogin(Object.create(NEEDED))).not.to.throw();
  });

  it('are accepted if each has a valid value', async () => {
    const right: QrLoginOptions = {
      ...NEEDED,
      loginPage: () => undefined,
      otherWays: () => [],
      assess: () => 'deny',
      assurance: (onPhone) => onPhone,
      locate: () => undefined,
      durations: ['session', '1h', '400d'],
      enrolled: async () => true,
      onSignIn: async () => undefined,
      limits: { address: { show: 1, watch: 1_000_000 }, account: {} },
      guard: { challenge: async () => undefined, verify: async () => ({ amr: [] }) },
      passkeySignIn: { options: async () => ({}), verify: async () => ({ accountId: 'alice', amr: [] }) },
      passkeysUrl: 'https://id.example/passkeys',
      store: new Keyv(),
      secrets: [KEY],
      name: 'Example',
      shortCode: true,
      deadlines: { scan: 1, decide: 600, finish: 60.5 },
      rotation: 60,
      streams: 'plain',
      clock: Date.now,
    };
    const qr = qrLogin(right);
    qr.attach(providerFor(qr));
    await qr.close();
  });
});

describe('attaching to a provider', () => {
  it('is refused if the provider does not sign its cookies', () => {
    for (const cookies of [{}, { keys: [] }]) {
      const qr = qrLogin(NEEDED);
      expect(() => qr.attach(providerFor(qr, { cookies }))).to.throw(TypeError, /cookies\.keys/);
    }
  });

  const unfitKeys: Readonly<Record<string, unknown>> = { 'a text of 5': 'short', 'a Buffer': Buffer.from(KEY) };
  for (const [what, key] of Object.entries(unfitKeys)) {
    it(`is refused if a cookie key is ${what}, unless there are secrets, and the message names both solutions`, async () => {
      const cookies = { keys: [KEY, key] } as never;
      const without = qrLogin(NEEDED);
      expect(() => without.attach(providerFor(without, { cookies })))
        .to.throw(TypeError)
        .with.property('message')
        .that.matches(/^cookies\.keys\[1\] .*"secrets"/)
        .and.includes(`but is ${what}: `);
      const qr = qrLogin({ ...NEEDED, secrets: [KEY] });
      qr.attach(providerFor(qr, { cookies }));
      await qr.close();
    });
  }

  for (const [what, key] of Object.entries({ undefined, empty: '' })) {
    it(`is refused if a cookie key is ${what}, even if there are secrets`, () => {
      const qr = qrLogin({ ...NEEDED, secrets: [KEY] });
      const cookies = { keys: [key] } as never;
      expect(() => qr.attach(providerFor(qr, { cookies }))).to.throw(
        TypeError,
        `cookies.keys[0] of the provider is ${what}: set the environment variable`,
      );
    });
  }

  it('is refused if its argument is not a provider', () => {
    const qr = qrLogin(NEEDED);
    const issuer = 'https://id.example';
    const others: [unknown, string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      [{}, 'an Object'],
      [Object.create(null), 'a bare object'],
      [issuer, 'a text'],
      [new Koa(), 'an Application'],
      [providerFor(qr).callback(), 'a function'],
    ];
    for (const [other, name] of others) {
      expect(() => Reflect.apply(qr.attach, undefined, [other]))
        .to.throw(TypeError)
        .with.property('message')
        .that.matches(/^attach\(\) needs the provider itself/)
        .and.includes(`but it got ${name}: `);
    }
  });

  it('is refused with a message about versions if the provider is of oidc-provider 8, which has no readable keys', () => {
    // A provider of version 8 has its Koa app inside.
    const old = { issuer: 'https://id.example', use: () => undefined, interactionDetails: () => undefined };
    const { attach } = qrLogin(NEEDED);
    expect(() => Reflect.apply(attach, undefined, [old])).to.throw(TypeError, /oidc-provider 8 .* oidc-provider@9/);
  });

  it('is refused if a Keygrip hides the keys, unless there are secrets', async () => {
    // An object with the methods of a Keygrip, which signs and verifies.
    const keys = { sign: () => 'signature', verify: () => true, index: () => 0 };
    const without = qrLogin(NEEDED);
    expect(() => without.attach(providerFor(without, { cookies: { keys } as never }))).to.throw(TypeError, /"secrets"/);
    const qr = qrLogin({ ...NEEDED, secrets: [KEY] });
    qr.attach(providerFor(qr, { cookies: { keys } as never }));
    await qr.close();
  });

  it('is refused a second time', async () => {
    const qr = qrLogin(NEEDED);
    const provider = providerFor(qr);
    qr.attach(provider);
    expect(() => qr.attach(provider)).to.throw(TypeError, /already/);
    await qr.close();
  });

  it('is refused if the development interactions are on', () => {
    const qr = qrLogin(NEEDED);
    expect(() => qr.attach(providerFor(qr, { features: {} }))).to.throw(TypeError, /devInteractions/);
  });

  it('must come before the first interaction', () => {
    const { interactionUrl } = qrLogin(NEEDED);
    expect(() => Reflect.apply(interactionUrl, undefined, [{}, {}])).to.throw(TypeError, /attach/);
  });

  it('is not necessary before close()', async () => {
    await qrLogin(NEEDED).close();
  });

  it('warns if other processes could also use the store', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const qr = qrLogin({ ...NEEDED, store: Elsewhere.keyv().store });
    qr.attach(providerFor(qr));
    expect(await warned).to.include({ name: 'QrLoginWarning', code: 'QR_LOGIN_ONE_PROCESS' });
    await qr.close();
  });
});
