import { expect } from 'chai';
import { Keyv } from 'keyv';
import { type QrLoginOptions, qrLogin } from '../../src/index.ts';
import { traceOf } from '../../src/ticket/ticket-id.ts';
import { FlakyBackend, keyvOver } from '../stores/memory/keyv-stores.ts';
import { GENEROUS, storesMayTake } from '../stores/patience.ts';
import { AppPerson } from '../support/app.ts';
import { isSignedIn, signInBy } from '../support/own-browsers.ts';
import { RedisWorld } from '../support/redis-world.ts';
import { until } from '../support/until.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../support/world.ts';
import { Operator } from './operator.ts';

interface Place {
  readonly world: World;
  readonly stop: () => Promise<void>;
}

const STORES: readonly (readonly [name: string, start: (options: WorldOptions) => Promise<Place>])[] = [
  ['memory', async (options) => placeOf(await World.start(options))],
  ['any Keyv', async (options) => placeOf(await World.start({ ...options, store: keyvOver(new FlakyBackend()) }))],
  [
    'Redis',
    async (options) => {
      const there = await RedisWorld.start(options);
      return { world: there.world, stop: () => there.stop() };
    },
  ],
];

function placeOf(world: World): Place {
  return { world, stop: () => world.stop() };
}

for (const [name, start] of STORES) {
  describe(`qr.admin, with ${name}`, () => {
    if (name === 'Redis') storesMayTake(GENEROUS);

    let operator: Operator;
    let place: Place;
    let world: World;

    beforeEach(async () => {
      operator = new Operator();
      place = await start({ extend: operator.extend });
      world = place.world;
    });

    afterEach(() => place?.stop());

    it('counts live tickets by state, and names the latest ones without their ids', async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const { live, tickets, processes } = await world.qr.admin.activity();
      expect(live).to.deep.equal({ waiting: 1, scanned: 0, approved: 0 });
      expect(processes).to.equal(1);
      expect(tickets).to.have.length(1);
      expect(tickets[0]).to.include({ state: 'waiting', clientId: 'test-rp', kind: 'sign-in' });
      const id = new URL(code).pathname.split('/').at(-1)?.slice(0, 24) ?? '';
      expect(tickets[0]?.ticket).to.equal(traceOf(id));
      expect(JSON.stringify(tickets)).not.to.include(id);

      await phone.scan(code);
      expect((await world.qr.admin.activity()).live).to.deep.equal({ waiting: 0, scanned: 1, approved: 0 });
      await phone.approve();
      expect((await world.qr.admin.activity()).live).to.deep.equal({ waiting: 0, scanned: 0, approved: 1 });
      await browser.arrive();
      const after = await world.qr.admin.activity();
      expect(after.live).to.deep.equal({ waiting: 0, scanned: 0, approved: 0 });
      expect(after.tickets[0]).to.include({ state: 'redeemed', accountId: 'a11ce' });
    });

    it('signs a browser out, so that it has no session any more', async () => {
      const phone = await new PhonePerson(world).signIn();
      const browser = new BrowserPerson(world);
      await browser.start();
      await signInBy(phone, browser);
      const events = world.collectPayloads('qr_login.admin');
      const { browsers } = await world.qr.admin.account('a11ce');
      const byQr = browsers.find(({ signedInBy }) => signedInBy === 'qr');
      const result = await operator.run(world, (admin, by) => admin.signOut(by, 'a11ce', `${byQr?.id}`));
      expect(result).to.include({ ended: 1 });
      expect(await isSignedIn(browser)).to.equal(false);
      expect(events).to.have.length(1);
      expect(events[0]).to.include({ act: 'sign-out', operator: 'olga', accountId: 'a11ce', target: byQr?.id });
    });

    it('signs all browsers of an account out, and none of another account', async () => {
      const phone = await new PhonePerson(world).signIn();
      const bob = await new PhonePerson(world).signIn('bob');
      const browsers = await Promise.all(
        [phone, phone, bob].map(async (owner) => {
          const browser = new BrowserPerson(world);
          await browser.start();
          return { browser, owner };
        }),
      );
      for (const { browser, owner } of browsers) await signInBy(owner, browser);
      await operator.run(world, (admin, by) => admin.signOut(by, 'a11ce', 'all'));
      const signedIn = await Promise.all(browsers.map(({ browser }) => isSignedIn(browser)));
      expect(signedIn).to.deep.equal([false, false, true]);
      expect((await world.qr.admin.account('a11ce')).browsers).to.deep.equal([]);
    });

    it('lists the trust in browsers, and ends it', async () => {
      const phone = await new PhonePerson(world).signIn();
      const browser = new BrowserPerson(world);
      await browser.start();
      await signInBy(phone, browser, { remember: 'yes' });
      const { trusted } = await world.qr.admin.account('a11ce');
      expect(trusted).to.have.length(1);
      await operator.run(world, (admin, by) => admin.forgetBrowser(by, 'a11ce', `${trusted[0]?.id}`));
      expect((await world.qr.admin.account('a11ce')).trusted).to.deep.equal([]);
    });

    it('lists what a user has reported, and lifts it, so that the user can approve again', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.decide('report');
      const [block, ...others] = await world.qr.admin.blocks('a11ce');
      expect(others).to.deep.equal([]);
      expect(block).to.include({ accountId: 'a11ce', by: 'user' });
      expect(await world.qr.admin.blocks()).to.deep.equal([block]);
      expect(await world.qr.admin.blocks('b0b')).to.deep.equal([]);
      expect(await outcomeOf(world, phone)).to.equal('denied');

      const source = `${block?.source}`;
      expect(await operator.run(world, (admin, by) => admin.lift(by, 'a11ce', { source }))).to.equal(true);
      expect(await world.qr.admin.blocks('a11ce')).to.deep.equal([]);
      expect(await world.qr.admin.blocks()).to.deep.equal([]);
      expect(await outcomeOf(world, phone)).to.equal('scanned');
      expect(await operator.run(world, (admin, by) => admin.lift(by, 'a11ce', { source }))).to.equal(false);
    });

    it('adds a block, which refuses the sign-ins of this account from this address alone', async () => {
      const { browser, phone } = await world.meet();
      const source = `${(await world.qr.admin.activity()).tickets[0]?.browserFrom}`;
      await browser.code();
      await operator.run(world, (admin, by) => admin.block(by, 'a11ce', { source }, 86_400));
      expect(await outcomeOf(world, phone)).to.equal('denied');
      expect(await outcomeOf(world, await new PhonePerson(world).signIn('bob'))).to.equal('scanned');
      const [block] = await world.qr.admin.blocks('a11ce');
      expect(block).to.include({ source, by: 'operator' });
      expect((block?.endsAt ?? 0) - (block?.at ?? 0)).to.equal(86_400_000);
    });

    it('keeps an operator’s longer block when the user reports the same address', async () => {
      const { browser, phone } = await world.meet();
      const source = `${(await world.qr.admin.activity()).tickets[0]?.browserFrom}`;
      await phone.scan(await browser.code());
      const { endsAt } = await operator.run(world, (admin, by) => admin.block(by, 'a11ce', { source }, 86_400));
      await phone.decide('report');
      expect((await world.qr.admin.blocks('a11ce'))[0]?.endsAt).to.equal(endsAt);
    });

    it('lists the apps that can approve, and ends the access of one', async () => {
      const app = await new AppPerson(world).signIn();
      const browser = new BrowserPerson(world);
      await browser.start();
      await app.scan(await browser.code());
      await until(async () => (await world.qr.admin.account('a11ce')).apps.length === 1);
      const [listed] = (await world.qr.admin.account('a11ce')).apps;
      expect(listed).to.include({ clientId: app.clientId, keyId: await app.keyId() });
      expect(await operator.run(world, (admin, by) => admin.endApp(by, 'b0b', `${listed?.id}`))).to.equal(false);
      expect(await operator.run(world, (admin, by) => admin.endApp(by, 'a11ce', `${listed?.id}`))).to.equal(true);
      expect((await app.request('GET', '/qr/api/browsers')).status).to.equal(401);
      expect((await world.qr.admin.account('a11ce')).apps).to.deep.equal([]);
    });

    it('exports everything as JSON lines', async () => {
      const phone = await new PhonePerson(world).signIn();
      const browser = new BrowserPerson(world);
      await browser.start();
      await signInBy(phone, browser, { remember: 'yes' });
      const types: string[] = [];
      for await (const line of world.qr.admin.exportLines({ accounts: ['a11ce', 'b0b'] })) {
        expect(line).to.match(/^\{.*\}\n$/);
        types.push(JSON.parse(line).type);
      }
      expect(new Set(types)).to.deep.equal(new Set(['counts', 'ticket', 'browser', 'trusted']));
    });
  });
}

/** Lets a new browser show a code, which the phone scans. @returns the state of the ticket */
async function outcomeOf(world: World, phone: PhonePerson): Promise<unknown> {
  const browser = new BrowserPerson(world);
  await browser.start();
  await phone.scan(await browser.code());
  return (await phone.look()).json().state;
}

describe('qr.admin', () => {
  it('refuses to work before the plugin is attached', async () => {
    const options: QrLoginOptions = { findAccount: () => undefined, signIn: () => '/' };
    let refusal: unknown;
    await qrLogin(options)
      .admin.activity()
      .catch((error: unknown) => {
        refusal = error;
      });
    expect(refusal).to.be.an.instanceOf(TypeError);
  });

  it('refuses blocks without an origin, and blocks that last too long', async () => {
    const operator = new Operator();
    await World.during({ extend: operator.extend }, async (world) => {
      const wrong = [
        [{ source: '' }, 60],
        [{ clientId: 'x'.repeat(201) }, 60],
        [{ source: '192.0.2.1' }, 59],
        [{ source: '192.0.2.1' }, 2_592_001],
        [{ source: '192.0.2.1' }, Number.NaN],
      ] as const;
      for (const [origin, seconds] of wrong) {
        const refusal = await operator.run(world, (admin, by) =>
          admin.block(by, 'a11ce', origin, seconds).then(
            () => 'no error',
            ({ name }: Error) => name,
          ),
        );
        expect(refusal, JSON.stringify([origin, seconds])).to.equal('TypeError');
      }
      expect(await world.qr.admin.blocks()).to.deep.equal([]);
    });
  });

  it('lists at most 100 blocks of an account, the latest ones', async () => {
    const operator = new Operator();
    await World.during({ extend: operator.extend, store: new Keyv() }, async (world) => {
      await operator.run(world, async (admin, by) => {
        for (let host = 0; host < 130; host++) await admin.block(by, 'a11ce', { source: `192.0.2.${host}` });
      });
      const blocks = await world.qr.admin.blocks('a11ce');
      expect(blocks).to.have.length(100);
      expect(blocks.map(({ source }) => source))
        .to.include('192.0.2.129')
        .and.not.to.include('192.0.2.0');
    });
  });
});

describe('qr.admin, on two nodes', () => {
  storesMayTake(GENEROUS);

  it('shows at one node what the other has seen, and acts on it', async () => {
    const operator = new Operator();
    const one = await RedisWorld.start({ extend: operator.extend });
    const two = await RedisWorld.start({ issuer: one.world.issuer, extend: operator.extend }, one.redis);
    try {
      const { browser, phone } = await one.world.meet();
      await until(async () => (await two.world.qr.admin.activity()).live.waiting === 1);
      expect((await two.world.qr.admin.activity()).processes).to.equal(2);
      await signInBy(phone, browser);
      await until(async () => (await two.world.qr.admin.activity()).tickets[0]?.state === 'redeemed');
      await operator.run(two.world, (admin, by) => admin.signOut(by, 'a11ce', 'all'));
      expect(await isSignedIn(browser)).to.equal(false);
      await two.leave();
      expect((await one.world.qr.admin.activity()).processes).to.equal(1);
    } finally {
      await two.leave().catch(() => undefined);
      await one.stop();
    }
  });

  it('answers 503 while Redis does not answer', async () => {
    const operator = new Operator();
    await RedisWorld.during({ extend: operator.extend }, async (there) => {
      there.pause();
      for (const act of ['activity', 'blocks'] as const) {
        const answer = await operator.request(there.world, (admin) => admin[act]());
        expect(answer.status).to.equal(503);
      }
      const signOut = await operator.request(there.world, (admin, by) => admin.signOut(by, 'a11ce', 'all'));
      expect(signOut.status).to.equal(503);
      await there.resume();
      expect(await operator.run(there.world, (admin) => admin.blocks())).to.deep.equal([]);
    });
  });
});
