import { expect } from 'chai';
import { Keyv } from 'keyv';
import { ActivityRecorder, type NodeActivity } from '../../../src/http/events/activity.ts';
import type { TicketEventName, TicketFacts } from '../../../src/http/events/ticket-events.ts';
import { KeyvBrowserList } from '../../../src/stores/memory/browser-list.ts';
import { newTicketId } from '../../../src/ticket/ticket-id.ts';
import { until } from '../../support/until.ts';

const LIVE = { waiting: 2, scanned: 1, approved: 0 };

describe('the latest tickets of a process', () => {
  let now: number;
  let nodes: KeyvBrowserList<NodeActivity>;
  const recorders: ActivityRecorder[] = [];

  beforeEach(() => {
    now = Date.now();
    nodes = new KeyvBrowserList<NodeActivity>(new Keyv(), 'nodes', () => now);
  });

  afterEach(() => Promise.all(recorders.splice(0).map((recorder) => recorder.close())));

  function recorder(isShared: boolean): (name: TicketEventName, facts: TicketFacts) => void {
    const made = new ActivityRecorder({
      nodes,
      isShared,
      countLive: () => LIVE,
      countConnected: () => 3,
      clock: () => now,
    });
    recorders.push(made);
    const emit = made.recordWith(() => undefined);
    return (name, facts) => emit(undefined, name, facts);
  }

  function facts(more: Partial<TicketFacts> = {}): TicketFacts {
    const unknown = { accountId: undefined, app: undefined, typed: undefined, because: undefined };
    const isSignIn = { action: undefined, backchannel: undefined };
    const origin = { clientId: 'rp', browserFrom: '192.0.2.1', shownAt: now, since: now };
    return { id: newTicketId('any'), state: 'waiting', ...origin, ...unknown, ...isSignIn, ...more };
  }

  it('keep what an account has scanned, however many new codes are shown', async () => {
    const emit = recorder(false);
    const scanned = facts({ accountId: 'a11ce', state: 'scanned' });
    emit('qr_login.scanned', scanned);
    for (let shown = 0; shown < 500; shown++) emit('qr_login.shown', facts());
    const { tickets } = (await recorders[0]?.read()) ?? { tickets: [] };
    expect(tickets).to.have.length(51);
    expect(tickets.filter(({ accountId }) => accountId === 'a11ce')).to.have.length(1);
  });

  it('have each ticket once, as its latest event describes it', async () => {
    const emit = recorder(false);
    const shown = facts();
    emit('qr_login.shown', shown);
    emit('qr_login.denied', { ...shown, accountId: 'a11ce', because: 'risk', action: true });
    const activity = await recorders[0]?.read();
    expect(activity?.tickets).to.have.length(1);
    expect(activity?.tickets[0]).to.include({ state: 'denied', because: 'risk', kind: 'action' });
    expect(activity).to.deep.include({ live: LIVE, connected: 3, processes: 1 });
  });

  it('are shared, and the counts of a process that reports no more are left out after 15 seconds', async () => {
    recorder(true)('qr_login.shown', facts());
    recorder(true);
    const [, other] = recorders;
    await until(async () => (await nodes.list('')).length === 2);
    await until(async () => (await other?.read())?.processes === 2);
    expect((await other?.read())?.live).to.deep.equal({ waiting: 4, scanned: 2, approved: 0 });
    expect((await other?.read())?.tickets).to.have.length(1);
    now += 15_001;
    const later = await other?.read();
    expect(later?.processes).to.equal(1);
    expect(later?.tickets).to.have.length(1);
  });

  it('leave the store when the process stops', async () => {
    recorder(true)('qr_login.shown', facts());
    await until(async () => (await nodes.list('')).length === 1);
    await recorders[0]?.close();
    expect(await nodes.list('')).to.deep.equal([]);
  });
});
