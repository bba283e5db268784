import { placeOfInteraction, placeOfTicket } from '../../ticket/ticket-id.ts';

/**
 * The keys of this package in Redis. The part in braces is the hash tag that decides on the slot in a cluster: all keys
 * of an interaction have the same tag.
 */
export class RedisKeyNames {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = `${prefix}qr:`;
  }

  ticket(id: string): string {
    return `${this.#prefix}{${placeOfTicket(id)}}:ticket:${id}`;
  }

  interaction(uid: string): string {
    return `${this.#prefix}{${placeOfInteraction(uid)}}:interaction:${uid}`;
  }

  /** Returns the key of the set of nodes that watch an interaction. */
  watchers(uid: string): string {
    return `${this.#prefix}{${placeOfInteraction(uid)}}:watchers:${uid}`;
  }

  note(name: string): string {
    return `${this.#prefix}note:${name}`;
  }

  /** Returns the key of the browsers that an account is signed in to. @param accountId opaque: a MAC */
  browsers(accountId: string): string {
    return `${this.#prefix}browsers:${accountId}`;
  }

  /** Returns the key of the phones that are told about requests of an account. @param accountId opaque: a MAC */
  subscriptions(accountId: string): string {
    return `${this.#prefix}subscriptions:${accountId}`;
  }

  /** Returns the key of the browsers that an account trusts. @param accountId opaque: a MAC */
  known(accountId: string): string {
    return `${this.#prefix}known:${accountId}`;
  }

  /** Returns the key of the requests that wait for an account. @param accountId opaque: a MAC */
  requests(accountId: string): string {
    return `${this.#prefix}requests:${accountId}`;
  }

  /** Returns the prefix of the keys of a rate limit. */
  limit(name: string): string {
    return `${this.#prefix}limit:${name}`;
  }

  /** The key that is written to find out if Redis takes writes. */
  get probe(): string {
    return `${this.#prefix}probe`;
  }

  /** The prefix of the names of the nodes' channels. */
  get channels(): string {
    return `${this.#prefix}node:`;
  }

  channel(node: string): string {
    return this.channels + node;
  }
}
