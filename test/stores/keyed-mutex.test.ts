import { expect } from 'chai';
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

  it('goes on after a task that threw before it began', async () => {
    const failing = mutex.run('key', () => {
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
