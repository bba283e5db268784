import { mock } from 'node:test';
import { expect } from 'chai';
import { PATIENCE, TooLate } from '../../../src/stores/access.ts';
import { KeyedMutex } from '../../../src/stores/memory/keyed-mutex.ts';
import { nextTurn } from './keyv-stores.ts';

/** A task that keeps its turn until it is released. */
interface Held {
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

  /** From here on time passes where the test says so. */
  function stopTime(): void {
    mock.timers.enable({ apis: ['setTimeout'] });
  }

  async function pass(milliseconds: number): Promise<void> {
    mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }

  /** A task that takes `turns` turns of the event loop. */
  function task(name: string, turns = 1): () => Promise<string> {
    return async () => {
      log.push(`${name} starts`);
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      log.push(`${name} ends`);
      return name;
    };
  }

  /** A task that does not end before it is released. */
  function holding(key: string): Held {
    let release: () => void = () => undefined;
    const task = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held: Held = { failure: undefined, release };
    mutex
      .run(key, () => task)
      .catch((error: unknown) => {
        held.failure = error;
      });
    return held;
  }

  it('gives back what the task gives back', async () => {
    expect(await mutex.run('key', task('a'))).to.equal('a');
  });

  it('runs one task at a time, in the order that they came', async () => {
    const names = await Promise.all([
      mutex.run('key', task('a', 3)),
      mutex.run('key', task('b', 2)),
      mutex.run('key', task('c', 1)),
    ]);
    expect(names).to.deep.equal(['a', 'b', 'c']);
    expect(log).to.deep.equal(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('lets tasks for other keys go on beside it', async () => {
    await Promise.all([mutex.run('slow', task('slow', 5)), mutex.run('fast', task('fast'))]);
    expect(log).to.deep.equal(['slow starts', 'fast starts', 'fast ends', 'slow ends']);
  });

  it('goes on after a task that failed, and tells only who started that one', async () => {
    const failing = mutex.run('key', async () => {
      await nextTurn();
      throw new Error('no');
    });
    const following = mutex.run('key', task('b'));
    const [failed, followed] = await Promise.allSettled([failing, following]);
    expect(failed).to.have.property('status', 'rejected');
    expect(followed).to.deep.equal({ status: 'fulfilled', value: 'b' });
  });

  it('goes on after a task that failed at once', async () => {
    const failing = mutex.run('key', async () => {
      throw new Error('at once');
    });
    const [failed, followed] = await Promise.allSettled([failing, mutex.run('key', task('b'))]);
    expect(failed).to.have.property('status', 'rejected');
    expect(followed).to.deep.equal({ status: 'fulfilled', value: 'b' });
  });

  it('a task that comes while the last one ends waits for those before it', async () => {
    const first = mutex.run('key', task('a'));
    const late = first.then(() => mutex.run('key', task('c')));
    await Promise.all([first, mutex.run('key', task('b', 3)), late]);
    expect(log).to.deep.equal(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('does not begin a task that has waited for too long, and tells who started it', async () => {
    stopTime();
    const held = holding('key');
    const late = mutex.run('key', task('late')).catch((error: unknown) => error);
    await pass(PATIENCE);
    expect(await late).to.be.instanceOf(TooLate);
    held.release();
    await mutex.run('key', task('next'));
    expect(log).to.deep.equal(['next starts', 'next ends']);
  });

  it('leaves its turn to a task that has begun, however long it takes: nobody else begins', async () => {
    stopTime();
    const held = holding('key');
    await pass(PATIENCE - 1);
    expect(held.failure).to.equal(undefined);
    await pass(1);
    expect(held.failure).to.be.instanceOf(TooLate);
    const next = mutex.run('key', task('next'));
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(log).to.deep.equal([]);
    held.release();
    expect(await next).to.equal('next');
  });

  it('lets the others wait for their own time, not for that of the one before them', async () => {
    stopTime();
    const held = holding('key');
    await pass(PATIENCE / 2);
    let refusal: unknown;
    mutex.run('key', task('next')).catch((error: unknown) => {
      refusal = error;
    });
    await pass(PATIENCE - 1);
    expect(held.failure).to.be.instanceOf(TooLate);
    expect(refusal).to.equal(undefined);
    await pass(1);
    expect(refusal).to.be.instanceOf(TooLate);
    held.release();
  });

  it('takes the turn from a task that never ends, after a while', async () => {
    const impatient = new KeyedMutex(
      () => PATIENCE,
      () => 20,
    );
    stopTime();
    const stuck = impatient.run('key', () => new Promise<never>(() => undefined)).catch((error: unknown) => error);
    const next = impatient.run('key', task('next'));
    await pass(20);
    expect(await next).to.equal('next');
    await pass(PATIENCE);
    expect(await stuck).to.be.instanceOf(TooLate);
  });

  it('refuses, and does not throw, where a task throws before it has begun to wait', async () => {
    const failing = mutex.run('key', () => {
      throw new Error('at once');
    });
    expect(await failing.catch((error: unknown) => error)).to.be.instanceOf(Error);
  });

  it('keeps a count right that a hundred tasks read and write', async () => {
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
