import { placeOf, placeOfInteraction } from '../../ticket/ticket-id.ts';

/** The keys of tickets in Redis. What stands in braces decides on the slot of a cluster: all of an interaction have the same. */
export class RedisKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = `${prefix}qr:`;
  }

  ticket(id: string): string {
    return `${this.#prefix}{${placeOf(id)}}:ticket:${id}`;
  }

  interaction(uid: string): string {
    return `${this.#prefix}{${placeOfInteraction(uid)}}:interaction:${uid}`;
  }

  /** The nodes on which somebody watches an interaction. */
  watchers(uid: string): string {
    return `${this.#prefix}{${placeOfInteraction(uid)}}:watchers:${uid}`;
  }

  note(name: string): string {
    return `${this.#prefix}note:${name}`;
  }

  /** The browsers that an account is signed in to. */
  browsers(accountId: string): string {
    return `${this.#prefix}browsers:${accountId}`;
  }

  /** What the keys of a rate limit begin with. */
  limit(name: string): string {
    return `${this.#prefix}limit:${name}`;
  }

  /** What the names of the nodes' channels begin with. */
  get channels(): string {
    return `${this.#prefix}node:`;
  }

  channel(node: string): string {
    return this.channels + node;
  }
}
