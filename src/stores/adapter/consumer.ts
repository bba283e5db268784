import { AsyncLocalStorage } from 'node:async_hooks';

const consumers = new AsyncLocalStorage<string>();

/**
 * Runs a task in the name of a consumer. A later task of the same name can consume the same records of this package's
 * adapter again. In this way the adapter distinguishes a repeated request from another request that was faster.
 */
export function consumeAs<T>(name: string, task: () => Promise<T>): Promise<T> {
  return consumers.run(name, task);
}

/** Returns the name of the current consumer; undefined if it has none. */
export function currentConsumer(): string | undefined {
  return consumers.getStore();
}
