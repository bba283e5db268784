import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { SHORT, storesMayTake, whileStoresMayTake } from '../stores/patience.ts';
import type { Answer } from '../support/agent.ts';
import { type Access, Elsewhere } from '../support/elsewhere.ts';
import { type BrowserPerson, type PhonePerson, World } from '../support/world.ts';

const isTicket = ({ operation, key }: Access): boolean => operation === 'set' && key.includes('ticket:');

/** Requests that access the store. */
const ACTS: Readonly<Record<string, (pair: Pair) => Promise<Answer>>> = {
  'GET /interaction/:uid': ({ browser }) => browser.agent.get(browser.at),
  'GET /interaction/:uid/qr': ({ browser }) => browser.agent.get(`${browser.at}/qr`),
  'POST /interaction/:uid/qr/renew': ({ browser }) => browser.agent.post(`${browser.at}/qr/renew`, { json: {} }),
  'POST /interaction/:uid/qr/finish': ({ browser }) => browser.finish(),
  'POST /interaction/:uid/cancel': ({ browser }) => browser.agent.post(`${browser.at}/cancel`, { json: {} }),
  'GET /qr/:code': ({ phone, code }) => phone.land(code),
  'GET /qr/tickets/:id': ({ phone }) => phone.look(),
  'POST /qr/tickets/:id': ({ phone }) => phone.decide('deny'),
};

describe('a Keyv that is neither in memory nor Redis', () => {
  // The answers of this Keyv come from this process, so they are in time unless a test delays them.
  storesMayTake(SHORT);

  let world: World;
  let elsewhere: Elsewhere;

  before(async () => {
    const made = Elsewhere.keyv();
    elsewhere = made.elsewhere;
    world = await World.start({ store: made.store });
  });

  afterEach(() => {
    elsewhere.before = async () => undefined;
  });

  after(() => world?.stop());

  const expectUnavailable = async (asked: Promise<Answer>): Promise<void> => {
    const answer = await asked;
    expect(answer.status).to.equal(503);
    expect(answer.json().error).to.equal('store_unavailable');
    expect(answer.headers.get('retry-after')).to.equal('2');
  };

  /**
   * Lets one access of the request fail: the first if `failing` is 1, and so on.
   * @returns true if there were that many accesses, so that the request failed
   */
  const failAt = async (failing: number, act: () => Promise<Answer>): Promise<boolean> => {
    let accesses = 0;
    elsewhere.before = async () => {
      accesses += 1;
      if (accesses === failing) throw new Error('the disk is full');
    };
    const { status, headers } = await act();
    elsewhere.before = async () => undefined;
    const failed = accesses >= failing;
    expect(status, `access ${failing} of ${accesses}`).to.equal(failed ? 503 : 200);
    expect(headers.get('retry-after')).to.equal(failed ? '2' : null);
    return failed;
  };

  it('causes a 503 for each request while it hangs', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const goOn = elsewhere.hang();
    await Promise.all([expectUnavailable(phone.approve()), expectUnavailable(browser.agent.get(`${browser.at}/qr`))]);
    await expectUnavailable(phone.approve());
    goOn();
    expect((await phone.approve()).json().state).to.equal('approved');
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });

  it('delays the requests behind a hanging write by at most the time that an access may take', async () => {
    const { browser, phone } = await world.meet();
    const other = await world.meet('bob');
    await phone.scan(await browser.code());
    const goOn = elsewhere.hang((access) => isTicket(access) && isOf(access, phone));
    // Requests write to a ticket in turn, one at a time. A write that hangs keeps its turn ten times as long as other
    // requests wait for theirs, so its turn outlasts this test.
    await whileStoresMayTake(500, async () => {
      // The first request writes. The others have read, and wait for their turn to write.
      await Promise.all([1, 2, 3].map(() => expectUnavailable(phone.approve())));
      // The turn of the first request continues, because its write may still succeed.
      await expectUnavailable(phone.approve());
      await expectUnavailable(browser.agent.post(`${browser.at}/cancel`, { json: {} }));
    });
    // Requests for other tickets do not wait for this write.
    expect((await other.phone.scan(await other.browser.code())).status).to.equal(200);
    goOn();

    // The first write succeeded late, and no other request wrote after it.
    expect((await phone.look()).json().state).to.equal('approved');
    expect(await browser.ticket()).to.include({ state: 'approved', version: 3 });
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });

  it('causes a 503 for a step of many accesses, each slow but in time, when the step takes too long', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    let [before, underWay] = [0, 0];
    let isWriting = false;
    elsewhere.before = async ({ key }) => {
      // Accesses at the same time count once. The swap of the ticket is one step. It begins by reading the interaction.
      isWriting ||= key.includes('interaction:');
      if (underWay === 0 && !isWriting) before += 1;
      underWay += 1;
      await pause(0.45 * SHORT);
      underWay -= 1;
    };
    // The swap makes three accesses one after the other, which together take longer than one access may.
    await expectUnavailable(phone.approve());
    expect(isWriting).to.equal(true);
    expect(before).to.be.at.most(2);
  });

  for (const [name, act] of Object.entries(ACTS)) {
    it(`causes a 503 immediately if any access fails: ${name}`, async () => {
      const unexpected = world.count('server_error');
      for (let failing = 1, failed = true; failed; failing++) {
        const pair = await meet(world, name.endsWith('finish') ? 'approved' : 'scanned');
        failed = await failAt(failing, () => act(pair));
      }
      expect(unexpected()).to.equal(0);
    });
  }
});

interface Pair {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  readonly code: string;
}

async function meet(world: World, state: 'scanned' | 'approved'): Promise<Pair> {
  const pair = await world.meet();
  const code = await pair.browser.code();
  await pair.phone.scan(code);
  if (state === 'approved') await pair.phone.approve();
  return { ...pair, code };
}

function isOf({ key }: Access, phone: PhonePerson): boolean {
  return key.endsWith(phone.at.split('/').at(-1) ?? 'none');
}
