/** Stores and steps with a deliberate fault, which the walks and races must find. */
import { BrowserActs } from '../../../src/ticket/browser.ts';
import { PhoneActs } from '../../../src/ticket/phone.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { replacing } from '../attack.ts';
import type { Stores, StoreWrapper } from './scene.ts';
import { Careless, FalsifyingStore, Modest, Reckless } from './stores.ts';

export interface Fault {
  readonly name: string;
  /** `walk` if acts that follow each other reveal the fault; `race` if only simultaneous acts reveal it. */
  readonly in: 'walk' | 'race';
  readonly around?: StoreWrapper;
  readonly changeStores?: (ground: Stores) => Stores;
  readonly patch?: () => () => void;
}

function falsifying(falsify: (next: Ticket, previous: Ticket | undefined) => Ticket): StoreWrapper {
  return (store) => new FalsifyingStore(store, falsify);
}

export const faults: readonly Fault[] = [
  { name: 'that lets every swap win', in: 'race', around: (store) => new Reckless(store) },
  {
    name: 'that forgets which phone has scanned',
    in: 'walk',
    around: falsifying((next) =>
      next.state === 'scanned'
        ? { ...next, approver: { ...next.approver, sessionUid: 'one', grant: undefined } }
        : next,
    ),
  },
  {
    name: 'that lets a deadline slide with each wrong check code',
    in: 'walk',
    around: falsifying((next, previous) =>
      next.state === 'approved' && previous?.state === 'approved' ? { ...next, deadline: next.deadline + 1 } : next,
    ),
  },
  {
    name: 'that forgets the wrong tries',
    in: 'walk',
    around: falsifying((next) =>
      next.state === 'approved' && next.checkCode ? { ...next, checkCode: { wrongTries: 0 } } : next,
    ),
  },
  {
    name: 'that does not raise the version',
    in: 'walk',
    around: falsifying((next, previous) =>
      next.state === 'approved' && previous !== undefined ? { ...next, version: previous.version } : next,
    ),
  },
  {
    name: 'in which a denial is not final',
    in: 'walk',
    around: falsifying((next) => {
      if (next.state !== 'denied' || next.because !== 'person') return next;
      const { because: _, ...rest } = next;
      return { ...rest, state: 'scanned' };
    }),
  },
  {
    name: 'that redeems a ticket when it is scanned',
    in: 'walk',
    around: falsifying((next) =>
      next.state === 'scanned' ? { ...next, state: 'redeemed', remember: false, approvedAt: next.since } : next,
    ),
  },
  {
    name: 'in which a phone denies what another phone of the account has scanned',
    in: 'walk',
    patch: replacing(
      PhoneActs.prototype,
      'deny',
      (deny) =>
        async function (this: PhoneActs, id, approver, seen) {
          const ticket = await this.preview(id);
          const owner = ticket?.state === 'scanned' ? ticket.approver : approver;
          return deny.call(this, id, owner.accountId === approver.accountId ? owner : approver, seen);
        },
    ),
  },
  {
    name: 'in which the account that is signed in at the browser is ignored',
    in: 'walk',
    patch: replacing(
      BrowserActs.prototype,
      'finish',
      (finish) =>
        function (this: BrowserActs, { accountId: _, ...identity }, said, assertAccount) {
          return finish.call(this, identity, said, assertAccount);
        },
    ),
  },
  {
    name: 'that makes a second ticket beside an existing one',
    in: 'race',
    around: (store) => new Careless(store),
  },
  {
    name: 'that reports a swap as lost although it has won',
    in: 'walk',
    around: (store) => new Modest(store),
  },
  {
    name: 'that does not tell the watchers about every change',
    in: 'walk',
    changeStores: ({ signals, ...rest }) => ({
      ...rest,
      signals: {
        rereadEvery: signals.rereadEvery,
        subscribe: (interaction, listener) =>
          signals.subscribe(interaction, {
            hear: (ticket) => {
              if (ticket?.state !== 'denied') listener.hear(ticket);
            },
          }),
        unsubscribe: (interaction, listener) => signals.unsubscribe(interaction, listener),
      },
    }),
  },
];
