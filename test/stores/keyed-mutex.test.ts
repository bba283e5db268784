import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { PATIENCE, TooLate } from '../../src/stores/access.ts';
import { KeyedMutex } from '../../src/stores/keyed-mutex.ts';
import { nextTurn } from './keyv-stores.ts';

describe('a mutex for each key', () => {
  let mutex: KeyedMutex;
  let log: string[];

  beforeEach(() => {
    mutex = new KeyedMutex();
    log = [];
  });

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
  function holding(key: string): { outcome: Promise<void>; release: () => void } {
    let release: () => void = () => undefined;
    const outcome = mutex.run(
      key,
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    // Whoever waits for it hears that it takes too long; not everybody does.
    outcome.catch(() => undefined);
    return { outcome, release: () => release() };
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
    const held = holding('key');
    const late = mutex.run('key', task('late'));
    const failure: unknown = await late.catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(TooLate);
    // Timers may be early by a fraction of a millisecond.
    await pause(5);
    held.release();
    await mutex.run('key', task('next'));
    expect(log).to.deep.equal(['next starts', 'next ends']);
  });

  it('leaves its turn to a task that has begun, however long it takes: nobody else begins', async () => {
    const held = holding('key');
    const began = performance.now();
    expect(await held.outcome.catch((error: unknown) => error)).to.be.instanceOf(TooLate);
    expect(performance.now() - began).to.be.within(PATIENCE - 50, PATIENCE + 400);
    const next = mutex.run('key', task('next'));
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(log).to.deep.equal([]);
    held.release();
    expect(await next).to.equal('next');
  });

  it('lets the others wait for their own time, not for that of the one before them', async () => {
    const held = holding('key');
    await held.outcome.catch(() => undefined);
    const began = performance.now();
    expect(await mutex.run('key', task('next')).catch((error: unknown) => error)).to.be.instanceOf(TooLate);
    expect(performance.now() - began).to.be.within(PATIENCE - 50, PATIENCE + 400);
    held.release();
  });

  it('takes the turn from a task that never ends, after a while', async () => {
    const impatient = new KeyedMutex(PATIENCE, 20);
    const stuck = impatient.run('key', () => new Promise<never>(() => undefined)).catch((error: unknown) => error);
    expect(await impatient.run('key', task('next'))).to.equal('next');
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
