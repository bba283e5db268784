import { AsyncLocalStorage } from 'node:async_hooks';

const consumers = new AsyncLocalStorage<string>();

/**
 * Runs a task in the name of a consumer. What it consumes at the adapter of this package, it can consume again in the
 * same name: so a repeated request is told apart from another one that has been faster.
 */
export function consumeAs<T>(name: string, task: () => Promise<T>): Promise<T> {
  return consumers.run(name, task);
}

/** Returns the name of the current consumer; undefined if it has none. */
export function currentConsumer(): string | undefined {
  return consumers.getStore();
}
