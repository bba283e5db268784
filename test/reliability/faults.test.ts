/**
 * Tests every fault in every state of a ticket. Sign-ins in all states meet the same fault at the same time, and each
 * of them is a separate test.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { isFullSuite } from '../support/full-suite.ts';
import { FAULTS, type Fault, FaultySite, STATES, type State } from './faults.ts';
import { Journey, type Side, Stranger } from './faults-journey.ts';

const SIDES: readonly Side[] = ['browser', 'phone'];

/** Up to sixteen sign-ins run at the same time, on four nodes and in this process. */
const TIMEOUT_MS = 240_000;
const PEOPLE = 300;

/** Matches a programming error in the output of a process, even one that ends the process. */
const PROGRAMMING_ERROR = /\b(Type|Reference|Range|Syntax)Error\b|unhandled|uncaught/i;

describe('the fault matrix:', function () {
  this.timeout(TIMEOUT_MS);
  let site: FaultySite;
  let people = 0;

  before(async () => {
    site = await FaultySite.start(PEOPLE);
  });

  after(() => site?.stop());

  for (const fault of FAULTS) {
    const { what, hits } = fault;
    const cells = cellsOf(fault);
    if (cells.length === 0) continue;

    describe(`when ${what},`, () => {
      let journeys: readonly Journey[];
      let ends: readonly PromiseSettledResult<void>[] = [];

      before(async () => {
        journeys = cells.map(({ side, state }) => new Journey(site, state, side, people++));
        const stranger = new Stranger(site, people++);
        await Promise.all([stranger.prepare(), ...journeys.map((journey) => journey.prepare())]);
        ends = await runDuringFault(site, fault, journeys, stranger);
      });

      cells.forEach(({ side, state }, index) => {
        const where = hits === 'one node' ? `, with the ${side} at that node,` : '';
        it(`a sign-in that is ${state}${where} ${fault.loses?.includes(state) ? 'is lost, and its users start again' : 'continues'}`, () => {
          const end = ends[index];
          if (end?.status !== 'fulfilled') throw end?.reason;
        });
      });

      it('each ticket signs in at most once, and with the right account', () => {
        const finished = site.nodes.events('qr_login.finished');
        const tickets = finished.map(({ ticket }) => ticket);
        expect(new Set(tickets).size).to.equal(tickets.length);
        for (const { ticket, accountId } of journeys) {
          for (const event of finished) if (event.ticket === ticket) expect(event.accountId).to.equal(accountId);
        }
      });

      it('all nodes still run, without programming errors', () => {
        expect(site.nodes.alive).to.not.include(false);
        expect(site.nodes.complaints).to.not.match(PROGRAMMING_ERROR);
      });
    });
  }
});

/** A sign-in that meets a fault: its state, and the side that is at the affected node. */
interface Cell {
  readonly side: Side;
  readonly state: State;
}

/**
 * Returns the sign-ins that a fault is tested with. The short suite tests each of the fault's `inShortSuite` states
 * with one side only, browser and phone in turn.
 */
function cellsOf({ hits, inShortSuite = [] }: Fault): Cell[] {
  const sides = hits === 'one node' ? SIDES : (['browser'] as const);
  if (isFullSuite) return sides.flatMap((side) => STATES.map((state) => ({ side, state })));
  return inShortSuite.map((state, index) => ({ state, side: sides[index % sides.length] ?? 'browser' }));
}

/** Runs the fault and the sign-ins. @returns the result of each sign-in */
async function runDuringFault(
  site: FaultySite,
  fault: Fault,
  journeys: readonly Journey[],
  stranger: Stranger,
): Promise<PromiseSettledResult<void>[]> {
  const end = await fault.begin(site);
  const meanwhile = Promise.allSettled(journeys.map((journey) => journey.meanwhile(fault, stranger)));
  await Promise.all([pause(fault.lasts ?? 0), fault.holds ? undefined : meanwhile]);
  await end();
  const met = await meanwhile;
  return Promise.allSettled(
    journeys.map(async (journey, index) => {
      const first = met[index];
      if (first?.status === 'rejected') throw first.reason;
      await journey.afterwards(fault, stranger);
    }),
  );
}
