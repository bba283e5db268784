import { expect } from 'chai';
import { Keyv } from 'keyv';
import { KeyvBrowserList } from '../../src/stores/memory/browser-list.ts';
import { KeyvPendingRequests } from '../../src/stores/memory/pending-requests.ts';
import type { KnownBrowser } from '../../src/ticket/browsers/known-browser.ts';
import { Ceremony } from '../../src/ticket/ceremony.ts';
import type { Outcome } from '../../src/ticket/change.ts';
import { Codes } from '../../src/ticket/codes/code.ts';
import { QrLoginError } from '../../src/ticket/errors.ts';
import type { Notes, TicketStore } from '../../src/ticket/ports.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import {
  alice,
  approved,
  awaitRefusal,
  blocksIn,
  bob,
  browserOf,
  LIFETIMES,
  NOW,
  scanned,
  TICKET_ID,
  waiting,
} from './builders.ts';
import { INTERACTION, ME, setUpScene, showInput } from './scene.ts';

const TWENTY = Array.from({ length: 20 }, (_, number) => number);
const yes = { approver: alice() };

/** Counts how the acts of a race ended: changed, unchanged, a state, or the code of the refusal. */
async function countResults(acts: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const settled of await Promise.allSettled(acts)) {
    const name = settled.status === 'fulfilled' ? describeValue(settled.value) : codeOf(settled.reason);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function describeValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('changed' in value) return value.changed === true ? 'changed' : 'unchanged';
  return 'state' in value ? String(value.state) : 'nothing';
}

function codeOf(reason: unknown): string {
  if (reason instanceof QrLoginError) return reason.code;
  throw reason;
}

describe('when several acts arrive at the same time,', () => {
  const scene = setUpScene();

  it('two tabs that show a code share one ticket, which is created once', async () => {
    const outcomes = await Promise.all([scene().browser.show(showInput()), scene().browser.show(showInput())]);
    expect(outcomes.filter(({ changed }) => changed)).to.have.length(1);
    expect(new Set(outcomes.map(({ ticket }) => ticket.id)).size).to.equal(1);
    expect(scene().heard).to.have.length(1);
  });

  it('two tabs that show a code after the old ticket expired share one new ticket', async () => {
    const old = await scene().showCode();
    scene().now += LIFETIMES.scan;
    const outcomes = await Promise.all([scene().browser.show(showInput()), scene().browser.show(showInput())]);
    expect(outcomes.filter(({ changed }) => changed)).to.have.length(1);
    const ids = new Set(outcomes.map(({ ticket }) => ticket.id));
    expect(ids.size).to.equal(1);
    expect(ids.has(old)).to.equal(false);
  });

  it('one of two browsers in the same interaction gets the ticket, and the other gets not_found', async () => {
    const other = showInput({ browser: browserOf('another browser') });
    const counts = await countResults([scene().browser.show(showInput()), scene().browser.show(other)]);
    expect(counts).to.deep.equal({ changed: 1, not_found: 1 });
  });

  it('one of twenty phones that scan gets the ticket, and the others get not_found', async () => {
    const id = await scene().showCode();
    const counts = await countResults(
      TWENTY.map((number) => scene().phone.scan(id, alice({ accountId: `account ${number}` }))),
    );
    expect(counts).to.deep.equal({ changed: 1, not_found: 19 });
    expect(scene().heard.map(({ state }) => state)).to.deep.equal(['waiting', 'scanned']);
  });

  it('twenty scans by one phone change the ticket once', async () => {
    const id = await scene().showCode();
    const counts = await countResults(TWENTY.map(() => scene().phone.scan(id, alice())));
    expect(counts).to.deep.equal({ changed: 1, unchanged: 19 });
  });

  it('twenty approvals by one phone approve the ticket once', async () => {
    const id = await scene().scanCode();
    const counts = await countResults(TWENTY.map(() => scene().phone.approve(id, yes)));
    expect(counts).to.deep.equal({ changed: 1, unchanged: 19 });
    expect(scene().heard.filter(({ state }) => state === 'approved')).to.have.length(1);
  });

  it('only one of several approvals and denials takes effect', async () => {
    const id = await scene().scanCode();
    const counts = await countResults(
      TWENTY.map((number) => (number % 2 === 0 ? scene().phone.approve(id, yes) : scene().phone.deny(id, alice()))),
    );
    expect(counts).to.deep.equal({ changed: 1, unchanged: 9, wrong_state: 10 });
    expect(scene().heard.filter(({ state }) => state === 'approved' || state === 'denied')).to.have.length(1);
  });

  it('twenty finishes by one browser redeem the ticket once and get the same answer', async () => {
    await scene().approveSignIn();
    const acts = TWENTY.map(() => scene().browser.finish(ME, undefined));
    expect(await countResults(acts)).to.deep.equal({ changed: 1, unchanged: 19 });
    const tickets = (await Promise.all<Outcome>(acts)).map(({ ticket }) => ticket);
    for (const ticket of tickets) expect(ticket).to.deep.equal(tickets[0]);
    expect(scene().heard.filter(({ state }) => state === 'redeemed')).to.have.length(1);
  });

  it('twenty cancellations change the ticket once', async () => {
    await scene().scanCode();
    const counts = await countResults(TWENTY.map(() => scene().browser.cancel(ME)));
    expect(counts).to.deep.equal({ changed: 1, unchanged: 19 });
  });

  it('finish and cancel lead to a redeemed or a cancelled ticket, never to both', async () => {
    await scene().approveSignIn();
    const counts = await countResults([scene().browser.cancel(ME), scene().browser.finish(ME, undefined)]);
    expect(counts.changed).to.equal(1);
    expect(scene().heard.filter(({ state }) => state === 'redeemed' || state === 'cancelled')).to.have.length(1);
  });

  it('finish and report lead to a redeemed or a denied ticket, never to both', async () => {
    const { id } = await scene().approveSignIn();
    const acts = [scene().browser.finish(ME), scene().phone.report(id, alice())];
    await Promise.allSettled(acts);
    expect(scene().heard.filter(({ state }) => state === 'redeemed' || state === 'denied')).to.have.length(1);
  });

  it('the act that loses the race is repeated on the state that the winner wrote', async () => {
    const id = await scene().showCode();
    scene().store.beforeSwap = () => scene().phone.scan(id, bob());
    expect((await awaitRefusal(scene().phone.scan(id, alice()))).code).to.equal('not_found');
    expect((await scene().phone.look(id, bob())).state).to.equal('scanned');
  });

  it('a ticket that disappears before the write is not found, and not written again', async () => {
    const id = await scene().showCode();
    scene().store.beforeSwap = () => scene().keyv.clear();
    expect((await awaitRefusal(scene().phone.scan(id, alice()))).code).to.equal('not_found');
    expect(await scene().store.findByInteraction(INTERACTION)).to.equal(undefined);
  });

  it('a tab shows the ticket that another tab created just before', async () => {
    let other = '';
    scene().store.beforeCreate = async () => {
      other = await scene().showCode();
    };
    const { ticket, changed } = await scene().browser.show(showInput());
    expect(ticket.id).to.equal(other);
    expect(changed).to.equal(false);
  });

  it('a scan that loses against a renewal gets not_found, the old ticket is cancelled, and the new one waits', async () => {
    const old = await scene().showCode();
    scene().store.beforeSwap = () => scene().browser.renew(showInput());
    expect((await awaitRefusal(scene().phone.scan(old, alice()))).code).to.equal('not_found');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
    expect(await scene().store.find(old)).to.deep.include({ state: 'cancelled', because: 'renewed' });
  });

  it('an approval that loses against a renewal gets the answer that the sign-in is over', async () => {
    const old = await scene().scanCode();
    scene().store.beforeSwap = () => scene().browser.renew(showInput());
    expect((await awaitRefusal(scene().phone.approve(old, yes))).code).to.equal('over');
  });

  it('only one of finish and renew takes effect, and the other is refused', async () => {
    await scene().approveSignIn();
    const counts = await countResults([scene().browser.renew(showInput()), scene().browser.finish(ME)]);
    expect(counts).to.deep.equal({ changed: 1, wrong_state: 1 });
  });

  it('each of twenty renewals either ends the previous ticket or gets the new ticket of another renewal', async () => {
    const first = await scene().showCode();
    const outcomes = await Promise.all(TWENTY.map(() => scene().browser.renew(showInput())));
    const changed = outcomes.filter((outcome) => outcome.changed);
    const voided = changed.map((outcome) => outcome.voided?.id);
    expect(new Set([...voided, (await scene().browser.look(ME))?.id])).to.deep.equal(
      new Set([first, ...outcomes.map(({ ticket }) => ticket.id)]),
    );
    expect(scene().heard.map(({ state }) => state)).to.deep.equal(['waiting', ...changed.map(() => 'waiting')]);
  });

  it('a scan at the last moment does not bring back a ticket that the browser has replaced', async () => {
    const old = await scene().showCode();
    scene().now += LIFETIMES.scan - 1;
    let replacement = '';
    scene().store.beforeSwap = async () => {
      scene().now += 1;
      replacement = await scene().showCode();
    };
    await scene().phone.scan(old, alice()).catch(codeOf);
    expect(replacement).not.to.equal(old);
    expect((await scene().browser.look(ME))?.id).to.equal(replacement);
  });
});

describe('with a store that loses data,', () => {
  const keys = new SecretKeys(['a secret for this one test only, and long enough']);

  function ceremonyOn(store: Partial<TicketStore>): Ceremony {
    const nothing: TicketStore = {
      create: async () => false,
      find: async () => undefined,
      findByInteraction: async () => undefined,
      swap: async () => false,
    };
    const codes = new Codes(keys, 10_000);
    const notes: Notes = {
      write: async () => undefined,
      read: async () => undefined,
      claim: async () => true,
    };
    const known = new KeyvBrowserList<KnownBrowser>(new Keyv(), 'known', () => NOW);
    const requests = new KeyvPendingRequests(new Keyv(), () => NOW);
    const blocks = blocksIn(new Keyv(), () => NOW);
    const ports = { notes, known, blocks, requests, keys, codes, lifetimes: LIFETIMES, clock: () => NOW };
    return new Ceremony({ ...ports, store: { ...nothing, ...store } });
  }

  it('a browser creates its ticket at the second attempt if the ticket of another tab disappears immediately', async () => {
    const answers = [false, true];
    const { browser } = ceremonyOn({ create: async () => answers.shift() ?? false });
    const { ticket, changed } = await browser.show(showInput());
    expect([ticket.state, changed]).to.deep.equal(['waiting', true]);
    expect(answers).to.deep.equal([]);
  });

  it('a scan of a ticket that its interaction no longer names gets not_found after two reads', async () => {
    let looks = 0;
    const { phone } = ceremonyOn({
      find: async () => {
        looks += 1;
        return waiting();
      },
    });
    expect((await awaitRefusal(phone.scan(TICKET_ID, alice()))).code).to.equal('not_found');
    expect(looks).to.equal(2);
  });

  it('every other act on a ticket that its interaction no longer names gets not_found', async () => {
    const scan = ceremonyOn({ find: async () => scanned(), findByInteraction: async () => approved() });
    const acts = [
      scan.phone.approve(TICKET_ID, yes),
      scan.phone.deny(TICKET_ID, alice()),
      scan.phone.report(TICKET_ID, alice()),
      scan.browser.finish(ME),
      scan.browser.cancel(ME),
    ];
    expect(await countResults(acts)).to.deep.equal({ not_found: 5 });
  });

  it("a scan is repeated until the ticket's version stays the same", async () => {
    let version = 1;
    const { phone } = ceremonyOn({
      find: async () => waiting({ version }),
      swap: async () => {
        version += 1;
        return version > 10;
      },
    });
    expect((await phone.scan(TICKET_ID, alice())).ticket.version).to.equal(11);
  });
});
