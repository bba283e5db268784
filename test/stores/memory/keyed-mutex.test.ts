import { mock } from 'node:test';
import { expect } from 'chai';
import { PATIENCE_MS, TooLate } from '../../../src/stores/deadline.ts';
import { KeyedMutex } from '../../../src/stores/memory/keyed-mutex.ts';
import { nextTurn } from './keyv-stores.ts';

/** A task that keeps its turn until it is released. */
interface HeldTask {
  /** The error that the caller of the task got. */
  failure: unknown;
  readonly release: () => void;
}

describe('a mutex for each key', () => {
  let mutex: KeyedMutex;
  let log: string[];

  beforeEach(() => {
    mutex = new KeyedMutex();
    log = [];
  });

  afterEach(() => mock.timers.reset());

  /** Stops the clock: from here on, time passes only by `pass`. */
  function stopTime(): void {
    mock.timers.enable({ apis: ['setTimeout'] });
  }

  async function pass(milliseconds: number): Promise<void> {
    mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }

  /** Returns a task that takes `turns` turns of the event loop. */
  function task(name: string, turns = 1): () => Promise<string> {
    return async () => {
      log.push(`${name} starts`);
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      log.push(`${name} ends`);
      return name;
    };
  }

  /** Starts a task that does not end before it is released. */
  function holdTurn(key: string): HeldTask {
    let release: () => void = () => undefined;
    const task = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held: HeldTask = { failure: undefined, release };
    mutex
      .run(key, () => task)
      .catch((error: unknown) => {
        held.failure = error;
      });
    return held;
  }

  it('returns the result of the task', async () => {
    expect(await mutex.run('key', task('a'))).to.equal('a');
  });

  it('runs one task at a time, in the order of the calls', async () => {
    const names = await Promise.all([
      mutex.run('key', task('a', 3)),
      mutex.run('key', task('b', 2)),
      mutex.run('key', task('c', 1)),
    ]);
    expect(names).to.deep.equal(['a', 'b', 'c']);
    expect(log).to.deep.equal(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('runs tasks for different keys concurrently', async () => {
    await Promise.all([mutex.run('slow', task('slow', 5)), mutex.run('fast', task('fast'))]);
    expect(log).to.deep.equal(['slow starts', 'fast starts', 'fast ends', 'slow ends']);
  });

  it('runs the next task after one has failed, and reports the failure to its caller only', async () => {
    const failing = mutex.run('key', async () => {
      await nextTurn();
      throw new Error('no');
    });
    const following = mutex.run('key', task('b'));
    const [failed, followed] = await Promise.allSettled([failing, following]);
    expect(failed).to.have.property('status', 'rejected');
    expect(followed).to.deep.equal({ status: 'fulfilled', value: 'b' });
  });

  it('runs the next task after one has failed immediately', async () => {
    const failing = mutex.run('key', async () => {
      throw new Error('at once');
    });
    const [failed, followed] = await Promise.allSettled([failing, mutex.run('key', task('b'))]);
    expect(failed).to.have.property('status', 'rejected');
    expect(followed).to.deep.equal({ status: 'fulfilled', value: 'b' });
  });

  it('puts a task that is added when another one ends behind the tasks that already wait', async () => {
    const first = mutex.run('key', task('a'));
    const late = first.then(() => mutex.run('key', task('c')));
    await Promise.all([first, mutex.run('key', task('b', 3)), late]);
    expect(log).to.deep.equal(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('does not start a task that has waited for too long, and reports that to its caller', async () => {
    stopTime();
    const held = holdTurn('key');
    const late = mutex.run('key', task('late')).catch((error: unknown) => error);
    await pass(PATIENCE_MS);
    expect(await late).to.be.instanceOf(TooLate);
    held.release();
    await mutex.run('key', task('next'));
    expect(log).to.deep.equal(['next starts', 'next ends']);
  });

  it('starts no other task while a slow one runs, even after the caller of the slow one has got TooLate', async () => {
    stopTime();
    const held = holdTurn('key');
    await pass(PATIENCE_MS - 1);
    expect(held.failure).to.equal(undefined);
    await pass(1);
    expect(held.failure).to.be.instanceOf(TooLate);
    const next = mutex.run('key', task('next'));
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(log).to.deep.equal([]);
    held.release();
    expect(await next).to.equal('next');
  });

  it("measures the waiting time of each caller from that caller's call", async () => {
    stopTime();
    const held = holdTurn('key');
    await pass(PATIENCE_MS / 2);
    let refusal: unknown;
    mutex.run('key', task('next')).catch((error: unknown) => {
      refusal = error;
    });
    await pass(PATIENCE_MS - 1);
    expect(held.failure).to.be.instanceOf(TooLate);
    expect(refusal).to.equal(undefined);
    await pass(1);
    expect(refusal).to.be.instanceOf(TooLate);
    held.release();
  });

  it('starts the next task after the maximum length of a turn if a task never ends', async () => {
    const impatient = new KeyedMutex(
      () => PATIENCE_MS,
      () => 20,
    );
    stopTime();
    const stuck = impatient.run('key', () => new Promise<never>(() => undefined)).catch((error: unknown) => error);
    const next = impatient.run('key', task('next'));
    await pass(20);
    expect(await next).to.equal('next');
    await pass(PATIENCE_MS);
    expect(await stuck).to.be.instanceOf(TooLate);
  });

  it('rejects, and does not throw, if a task throws synchronously', async () => {
    const failing = mutex.run('key', () => {
      throw new Error('at once');
    });
    expect(await failing.catch((error: unknown) => error)).to.be.instanceOf(Error);
  });

  it('loses no update if a hundred tasks increment a counter', async () => {
    let count = 0;
    const increment = async (): Promise<void> => {
      const read = count;
      await nextTurn();
      count = read + 1;
    };
    await Promise.all(Array.from({ length: 100 }, () => mutex.run('key', increment)));
    expect(count).to.equal(100);
  });
});
