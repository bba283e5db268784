import { expect } from 'chai';
import { Keyv } from 'keyv';
import { chooseEngine } from '../../../src/stores/choose-engine.ts';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { newTicket } from '../../../src/stores/contract/sample-tickets.ts';
import { storeContract } from '../../../src/stores/contract/store-contract.ts';
import { engineForIssuer } from '../../../src/stores/issuer/issuer-engine.ts';
import { IssuerKeys } from '../../../src/stores/issuer/issuer-keys.ts';
import type { StoreEngine } from '../../../src/stores/store-engine.ts';
import { MOST_BROWSERS } from '../../../src/ticket/browsers/browser-list.ts';
import type { SignedInBrowser } from '../../../src/ticket/browsers/signed-in-browser.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { SECRETS } from '../../ticket/builders.ts';
import { FlakyBackend, keyvOver } from '../memory/keyv-stores.ts';

const ISSUER = 'https://one.example';
const OTHER = 'https://other.example';
const NEWER = 'another secret of at least thirty-two characters';
const MINUTE_MS = 60_000;
const IGNORED = { onTrouble: () => undefined, onLate: () => undefined };

interface Access {
  readonly keyv?: Keyv;
  readonly issuer?: string;
  /** The secrets. The newest one is first. */
  readonly secrets?: readonly string[];
}

function engineOn({ keyv = new Keyv(), issuer = ISSUER, secrets = SECRETS }: Access): StoreEngine {
  return engineForIssuer(chooseEngine(keyv, Date.now, IGNORED), issuer, new SecretKeys(secrets));
}

function browser(id: string, more: Partial<SignedInBrowser> = {}): SignedInBrowser {
  const now = Date.now();
  return { id, sessionUid: `session of ${id}`, signedInAt: now, lastUsedAt: now, endsAt: now + MINUTE_MS, ...more };
}

const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id).sort();

async function keysIn({ store }: Keyv): Promise<string[]> {
  return [...(store as Map<string, unknown>).keys()];
}

storeContract({ describe, it, before, after }, "an issuer's engine, after a rotation of the secrets", () => {
  const engine = engineOn({ secrets: [NEWER, ...SECRETS] });
  return { here: engine, there: engine, close: engine.close };
});

describe('the engine of an issuer', () => {
  let keyv: Keyv;

  beforeEach(() => {
    keyv = new Keyv();
  });

  it('stores under MACs that name no account, address or ticket', async () => {
    const engine = engineOn({ keyv });
    await engine.browsers.put('alice', browser('one'));
    await engine.known.put('alice', { ...browser('one'), trustedAt: Date.now() });
    await engine.notes.write('revoked:ticket', MINUTE_MS);
    const keys = await keysIn(keyv);
    expect(keys).to.have.length(3);
    for (const key of keys) expect(key).to.match(/^keyv:(browsers|known|note):mac:[\w-]{43}$/);
    expect(new Set(keys.map((key) => key.slice(-43))).size).to.equal(3);
  });

  it('passes MACs instead of accounts and addresses to a limit', async () => {
    const taken: string[] = [];
    const counting = { take: (key: string) => void taken.push(key), ask: (key: string) => void taken.push(key) };
    const own = { ...chooseEngine(keyv, Date.now, IGNORED), rateLimit: () => counting };
    const engine = engineForIssuer(own, ISSUER, new SecretKeys([NEWER, ...SECRETS]));
    const [scan, decide] = ['account:scan', 'account:decide'].map((name) =>
      engine.rateLimit(name, { times: 1, within: 60 }),
    );
    scan?.take('alice');
    scan?.ask('alice');
    decide?.take('alice');
    for (const key of taken) expect(key).to.match(/^mac:[\w-]{43}$/);
    const [first, second, third] = taken;
    expect(first).to.equal(second).and.not.to.equal(third);
    expect(first).to.equal(new IssuerKeys(ISSUER, new SecretKeys([NEWER])).currentKey('limit account:scan', 'alice'));
  });

  it('counts separately for each issuer, even in memory', () => {
    const limits = [ISSUER, OTHER].map((issuer) =>
      engineOn({ keyv, issuer }).rateLimit('account:scan', { times: 1, within: 60 }),
    );
    for (const limit of limits) expect(limit.take('alice')).to.equal(undefined);
    for (const limit of limits) expect(limit.take('alice')).to.be.a('number');
  });

  it('finds nothing of another issuer with the same store and secrets', async () => {
    const [one, other] = [engineOn({ keyv }), engineOn({ keyv, issuer: OTHER })];
    const ticket = newTicket();
    await one.store.create(ticket);
    await one.browsers.put('alice', browser('one'));
    await one.known.put('alice', { ...browser('one'), trustedAt: Date.now() });
    await one.notes.write('ended:one', MINUTE_MS);
    expect(await one.store.find(ticket.id)).to.deep.equal(ticket);
    expect(await one.store.findByInteraction(ticket.interaction)).to.deep.equal(ticket);
    expect(await other.store.find(ticket.id)).to.equal(undefined);
    expect(await other.store.findByInteraction(ticket.interaction)).to.equal(undefined);
    expect(await other.browsers.list('alice')).to.deep.equal([]);
    expect(await other.known.list('alice')).to.deep.equal([]);
    expect(await other.browsers.used('alice', 'one', browser('one'))).to.equal(false);
    expect(await other.notes.read('ended:one')).to.equal(undefined);
    await other.browsers.remove('alice', 'one');
    expect(await one.browsers.list('alice')).to.have.length(1);
  });

  it('gets no signal of another issuer about the same interaction', async () => {
    const own = chooseEngine(keyv, Date.now, IGNORED);
    const [one, other] = [ISSUER, OTHER].map((issuer) => engineForIssuer(own, issuer, new SecretKeys(SECRETS)));
    if (one === undefined || other === undefined) throw new Error('there are two engines');
    const ticket = newTicket();
    const [here, there] = [one, other].map(({ signals }) => new RecordingListener(signals, ticket.interaction));
    await one.store.create(ticket);
    expect(here?.heard).to.deep.equal([ticket]);
    expect(there?.heard).to.deep.equal([]);
    here?.stop();
    await one.store.swap(ticket, { ...ticket, version: ticket.version + 1 });
    expect(here?.heard).to.have.length(1);
  });

  it('gives an account whose id looks like a MAC no data of the account with that MAC', async () => {
    const engine = engineOn({ keyv });
    await engine.browsers.put('alice', browser('one'));
    const key = new IssuerKeys(ISSUER, new SecretKeys(SECRETS)).currentKey('browsers', 'alice');
    expect(await engine.browsers.list(key)).to.deep.equal([]);
    expect(await engine.browsers.used(key, 'one', browser('one'))).to.equal(false);
  });

  for (const [when, before] of [
    ['a rotation of the secrets', (): StoreEngine => engineOn({ keyv })],
    ['an upgrade from readable keys', (): StoreEngine => chooseEngine(keyv, Date.now, IGNORED)],
  ] as const) {
    describe(`after ${when}`, () => {
      let old: StoreEngine;
      let engine: StoreEngine;

      beforeEach(async () => {
        old = before();
        engine = engineOn({ keyv, secrets: [NEWER, ...SECRETS] });
        for (const id of ['one', 'two']) await old.browsers.put('alice', browser(id));
      });

      /** The engine of a deployment that has removed the old secret. */
      const newest = (): StoreEngine => engineOn({ keyv, secrets: [NEWER] });
      const under = (account: string): string =>
        `keyv:browsers:${new IssuerKeys(ISSUER, new SecretKeys([NEWER])).currentKey('browsers', account)}`;

      it('lists earlier browsers together with new ones', async () => {
        await engine.browsers.put('alice', browser('three'));
        expect(idsOf(await engine.browsers.list('alice'))).to.deep.equal(['one', 'three', 'two']);
      });

      it('removes earlier browsers', async () => {
        await engine.browsers.remove('alice', 'one');
        expect(idsOf(await engine.browsers.list('alice'))).to.deep.equal(['two']);
        expect(idsOf(await old.browsers.list('alice'))).to.deep.equal(['two']);
      });

      it('moves a browser to the newest key when it is used', async () => {
        const use = { lastUsedAt: Date.now() + 1, endsAt: Date.now() + 2 * MINUTE_MS };
        expect(await engine.browsers.used('alice', 'one', use)).to.equal(true);
        const [moved] = (await engine.browsers.list('alice')).filter(({ id }) => id === 'one');
        expect(moved).to.include({ ...use, sessionUid: 'session of one' });
        expect(idsOf(await old.browsers.list('alice'))).to.deep.equal(['two']);
        expect(await keysIn(keyv)).to.include(under('alice'));
        expect(idsOf(await newest().browsers.list('alice'))).to.include('one');
      });

      it('moves a browser to the newest key when it is added again', async () => {
        await engine.browsers.put('alice', browser('one', { name: 'Firefox' }));
        const list = await engine.browsers.list('alice');
        expect(idsOf(list)).to.deep.equal(['one', 'two']);
        expect(list.find(({ id }) => id === 'one')).to.include({ name: 'Firefox' });
        expect(idsOf(await old.browsers.list('alice'))).to.deep.equal(['two']);
      });

      it('does not add a browser that is on no list when it is used', async () => {
        expect(await engine.browsers.used('alice', 'three', browser('three'))).to.equal(false);
        expect(idsOf(await engine.browsers.list('alice'))).to.deep.equal(['one', 'two']);
      });

      it('loses no browser when it moves one to a full list', async () => {
        for (let count = 0; count < MOST_BROWSERS; count++) await engine.browsers.put('alice', browser(`new ${count}`));
        await engine.browsers.used('alice', 'one', browser('one'));
        const ids = idsOf(await engine.browsers.list('alice'));
        expect(ids).to.have.length(MOST_BROWSERS + 2);
        expect(new Set(ids).size).to.equal(MOST_BROWSERS + 2);
      });

      it('reads earlier notes', async () => {
        await old.notes.write('ended:one', MINUTE_MS, 'text');
        expect(await engine.notes.read('ended:one')).to.equal('text');
        await engine.notes.write('ended:one', MINUTE_MS, 'newer');
        expect(await engine.notes.read('ended:one')).to.equal('newer');
      });

      it('finds and changes earlier tickets', async () => {
        const ticket = newTicket();
        await old.store.create(ticket);
        expect(await engine.store.find(ticket.id)).to.deep.equal(ticket);
        const next = { ...ticket, version: ticket.version + 1 };
        expect(await engine.store.swap(ticket, next)).to.equal(true);
        expect(await engineOn({ keyv, issuer: OTHER }).store.find(ticket.id)).to.equal(undefined);
      });
    });
  }

  it('returns the browsers that were dropped from a full list, even if the older keys cannot be read', async () => {
    const backend = new FlakyBackend();
    const engine = engineOn({ keyv: keyvOver(backend), secrets: [NEWER, ...SECRETS] });
    for (let count = 0; count < MOST_BROWSERS; count++) {
      await engine.browsers.put('alice', browser(`${count}`, { lastUsedAt: count }));
    }
    const newest = new IssuerKeys(ISSUER, new SecretKeys([NEWER])).currentKey('browsers', 'alice');
    const read = backend.get.bind(backend);
    backend.get = async (key) => {
      if (!key.includes(newest)) throw new Error('out of reach');
      return read(key);
    };
    expect(idsOf(await engine.browsers.put('alice', browser('last')))).to.deep.equal(['0']);
  });

  it('does not return a part of a list if one of its keys cannot be read', async () => {
    const backend = new FlakyBackend();
    const engine = engineOn({ keyv: keyvOver(backend) });
    await engine.browsers.put('alice', browser('one'));
    const read = backend.get.bind(backend);
    backend.get = async (key) => {
      if (key.endsWith(':alice')) throw new Error('out of reach');
      return read(key);
    };
    let refusal: unknown;
    await engine.browsers.list('alice').catch((error: unknown) => {
      refusal = error;
    });
    expect(refusal).to.include({ code: 'store_unavailable' });
  });
});
