/**
 * A store of your own. A Map with JSON stands for the database that all nodes share, and an EventEmitter for its
 * notifications: replace each access by a statement, as the comments say.
 */
import { EventEmitter } from 'node:events';

/** The most browsers that an account's list may have. */
const MOST_BROWSERS = 100;
/** The most requests that wait for an account. */
const MOST_REQUESTS = 5;

export class Database {
  /** Values by key, with the time at which they expire. */
  rows = new Map();
  notifications = new EventEmitter().setMaxListeners(0);

  /** `SELECT value … WHERE key = $1 AND expires_at > now()` */
  async read(key) {
    const row = this.rows.get(key);
    return row !== undefined && row.expiresAt > Date.now() ? JSON.parse(row.value) : undefined;
  }

  /** `INSERT … ON CONFLICT (key) DO UPDATE …` */
  async write(key, value, expiresAt) {
    this.rows.set(key, { value: JSON.stringify(value), expiresAt });
  }

  #last = Promise.resolve();

  /** Runs one step at a time, as a serializable transaction does: `BEGIN … COMMIT`, and again if it conflicts. */
  transaction(step) {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/**
 * @param {Database} database
 * @returns {import('oidc-provider-qr-login').MakeStoreEngine}
 */
export function ownStore(database) {
  return (clock) => {
    const signals = new DatabaseSignals(database);
    return {
      name: 'own',
      store: new DatabaseTickets(database),
      notes: {
        read: (name) => database.read(`note:${name}`),
        write: (name, lasts, value = '') => database.write(`note:${name}`, value, clock() + lasts),
        // `INSERT … ON CONFLICT (key) DO NOTHING`, with the number of rows as the answer.
        claim: (name, lasts) =>
          database.transaction(async () => {
            if ((await database.read(`note:${name}`)) !== undefined) return false;
            await database.write(`note:${name}`, '', clock() + lasts);
            return true;
          }),
      },
      browsers: new DatabaseBrowsers(database, 'browsers', clock),
      known: new DatabaseBrowsers(database, 'known', clock),
      subscriptions: new DatabaseBrowsers(database, 'subscriptions', clock),
      requests: new DatabaseRequests(database, clock),
      signals,
      clock,
      rateLimit: (name, rate) => new DatabaseRateLimit(database, name, rate),
      // A write, because a database that is full or read-only still answers.
      ping: () => database.write('ping', 1, clock() + 10_000),
      hearsOthers: () => true,
      close: async () => signals.close(),
    };
  };
}

class DatabaseTickets {
  #database;

  constructor(database) {
    this.#database = database;
  }

  find(id) {
    return this.#database.read(`ticket:${id}`);
  }

  async findByInteraction(uid) {
    const id = await this.#database.read(`interaction:${uid}`);
    return id === undefined ? undefined : this.find(id);
  }

  create(ticket) {
    return this.#database.transaction(async () => {
      if ((await this.findByInteraction(ticket.interaction)) !== undefined) return false;
      await this.#put(ticket);
      return true;
    });
  }

  swap(previous, next, ended) {
    return this.#database.transaction(async () => {
      const stored = await this.findByInteraction(previous.interaction);
      if (stored?.id !== previous.id || stored.version !== previous.version) return false;
      if (ended !== undefined) await this.#database.write(`ticket:${ended.id}`, ended, ended.deadline);
      await this.#put(next);
      return true;
    });
  }

  async #put(ticket) {
    await this.#database.write(`ticket:${ticket.id}`, ticket, ticket.deadline);
    await this.#database.write(`interaction:${ticket.interaction}`, ticket.id, ticket.deadline);
    // `NOTIFY tickets, …` in the same transaction.
    this.#database.notifications.emit('ticket', JSON.stringify(ticket));
  }
}

class DatabaseSignals {
  /** Read the store this often even without a notification: one may be lost while the connection is down. */
  rereadEvery = 10_000;
  #listeners = new Map();
  #database;

  constructor(database) {
    this.#database = database;
    // `LISTEN tickets`
    database.notifications.on('ticket', this.#hear);
  }

  #hear = (message) => {
    const ticket = JSON.parse(message);
    for (const listener of [...(this.#listeners.get(ticket.interaction) ?? [])]) listener.hear(ticket);
  };

  subscribe(interaction, listener) {
    const listeners = this.#listeners.get(interaction) ?? new Set();
    this.#listeners.set(interaction, listeners.add(listener));
  }

  unsubscribe(interaction, listener) {
    const listeners = this.#listeners.get(interaction);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(interaction);
  }

  close() {
    this.#database.notifications.off('ticket', this.#hear);
  }
}

class DatabaseBrowsers {
  #database;
  #table;
  #clock;

  constructor(database, table, clock) {
    this.#database = database;
    this.#table = table;
    this.#clock = clock;
  }

  async list(accountId) {
    const all = (await this.#database.read(`${this.#table}:${accountId}`)) ?? [];
    return all.filter(({ endsAt }) => endsAt > this.#clock());
  }

  put(accountId, browser) {
    return this.#database.transaction(async () => {
      const others = (await this.list(accountId)).filter(({ id }) => id !== browser.id);
      others.sort((one, other) => one.lastUsedAt - other.lastUsedAt);
      const removed = others.splice(0, Math.max(0, others.length + 1 - MOST_BROWSERS));
      await this.#write(accountId, [...others, browser]);
      return removed;
    });
  }

  used(accountId, id, use) {
    return this.#database.transaction(async () => {
      const list = await this.list(accountId);
      if (!list.some((browser) => browser.id === id)) return false;
      await this.#write(
        accountId,
        list.map((browser) => (browser.id === id ? { ...browser, ...use } : browser)),
      );
      return true;
    });
  }

  rename(accountId, id, label) {
    return this.#database.transaction(async () => {
      const list = await this.list(accountId);
      if (!list.some((browser) => browser.id === id)) return false;
      // JSON has no undefined, so a label that is removed is not written.
      await this.#write(
        accountId,
        list.map((browser) => (browser.id === id ? { ...browser, label } : browser)),
      );
      return true;
    });
  }

  remove(accountId, id) {
    return this.#database.transaction(async () => {
      const list = await this.list(accountId);
      await this.#write(
        accountId,
        list.filter((browser) => browser.id !== id),
      );
    });
  }

  #write(accountId, list) {
    const end = Math.max(0, ...list.map(({ endsAt }) => endsAt));
    return this.#database.write(`${this.#table}:${accountId}`, list, end);
  }
}

/** The requests that wait for an account: one of each sender, and a few altogether. */
class DatabaseRequests {
  #database;
  #clock;

  constructor(database, clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async list(accountId) {
    const all = (await this.#database.read(`requests:${accountId}`)) ?? [];
    return all.filter(({ endsAt }) => endsAt > this.#clock());
  }

  add(accountId, request) {
    return this.#database.transaction(async () => {
      const list = await this.list(accountId);
      if (list.length >= MOST_REQUESTS || list.some(({ sender }) => sender === request.sender)) return false;
      await this.#write(accountId, [...list, request]);
      return true;
    });
  }

  remove(accountId, id) {
    return this.#database.transaction(async () => {
      const list = await this.list(accountId);
      await this.#write(
        accountId,
        list.filter((request) => request.id !== id),
      );
    });
  }

  #write(accountId, list) {
    const end = Math.max(0, ...list.map(({ endsAt }) => endsAt));
    return this.#database.write(`requests:${accountId}`, list, end);
  }
}

/** Counts in the database, so that all nodes together keep to the limit. */
class DatabaseRateLimit {
  #database;
  #name;
  #rate;

  constructor(database, name, rate) {
    this.#database = database;
    this.#name = name;
    this.#rate = rate;
  }

  take(key) {
    return this.#database.transaction(async () => {
      const window = await this.#window(key);
      window.times += 1;
      await this.#database.write(`limit:${this.#name}:${key}`, window, window.endsAt);
      return window.times > this.#rate.times ? window.endsAt - Date.now() : undefined;
    });
  }

  async ask(key) {
    const window = await this.#window(key);
    return window.times >= this.#rate.times ? window.endsAt - Date.now() : undefined;
  }

  async #window(key) {
    const endsAt = Date.now() + this.#rate.within * 1000;
    return (await this.#database.read(`limit:${this.#name}:${key}`)) ?? { times: 0, endsAt };
  }
}
