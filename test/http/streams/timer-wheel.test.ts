import { expect } from 'chai';
import { TimerWheel, type WheelEntry } from '../../../src/http/streams/timer-wheel.ts';

const WIDTH_MS = 20;
const START = 1_000_000;

describe('the timer wheel', () => {
  let wheel: TimerWheel<TestEntry>;
  let ticked: string[];

  class TestEntry implements WheelEntry {
    nextAt: number;
    slot: number | undefined;
    readonly #name: string;

    constructor(name: string, after: number) {
      this.#name = name;
      this.nextAt = START + after;
      wheel.put(this);
    }

    tick(): void {
      ticked.push(this.#name);
    }
  }

  beforeEach(() => {
    wheel = new TimerWheel(WIDTH_MS, START);
    ticked = [];
  });

  it('calls back an entry once when it is due, within the width of a slot, and no other entry', () => {
    new TestEntry('soon', 100);
    new TestEntry('later', 10_000);
    wheel.turn(START + 99);
    expect(ticked).to.deep.equal([]);
    wheel.turn(START + 100 + WIDTH_MS);
    wheel.turn(START + 200);
    expect(ticked).to.deep.equal(['soon']);
    wheel.turn(START + 10_000);
    expect(ticked).to.deep.equal(['soon', 'later']);
  });

  it('calls back an entry that is already due as soon as the next slot comes', () => {
    new TestEntry('late', -5_000);
    wheel.turn(START + WIDTH_MS);
    expect(ticked).to.deep.equal(['late']);
  });

  it('moves an entry to an earlier time immediately, and to a later time only after a callback at the old time', () => {
    const one = new TestEntry('one', 10_000);
    one.nextAt = START + 100;
    wheel.put(one);
    one.nextAt = START + 20_000;
    wheel.put(one);
    wheel.turn(START + 100 + WIDTH_MS);
    expect(ticked).to.deep.equal(['one']);
    wheel.put(one);
    wheel.turn(START + 19_000);
    expect(ticked).to.deep.equal(['one']);
    wheel.turn(START + 20_000);
    expect(ticked).to.deep.equal(['one', 'one']);
  });

  it('does not call back an entry that was removed', () => {
    const one = new TestEntry('one', 100);
    wheel.remove(one);
    wheel.remove(one);
    wheel.turn(START + 1_000);
    expect([ticked, wheel.all()]).to.deep.equal([[], []]);
  });

  it('calls back every due entry after the clock has jumped by years, and still works after it has jumped back', () => {
    new TestEntry('one', 100);
    new TestEntry('other', 50_000);
    wheel.turn(START + 1e11);
    expect(ticked).to.deep.equal(['one', 'other']);
    wheel.turn(START);
    new TestEntry('third', 40);
    wheel.turn(START + 60);
    expect(ticked).to.deep.equal(['one', 'other', 'third']);
  });
});
