/** Attacks, and the tests that prove them: each fails on our server and succeeds on a server without the defence. */
import { expect } from 'chai';
import type { Middleware } from 'koa';
import type { Fixture } from '../fixtures/provider.ts';
import { inFullSuite } from '../support/full-suite.ts';
import type { Site } from '../support/visitors.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, World, type WorldOptions } from '../support/world.ts';

/** An attempt to get something that is not the attacker's. It uses only HTTP, so that it can be tried on any server. */
export interface Attack {
  /** The row of the table in docs/security.md to which the attack belongs. */
  readonly row: number;
  /** A fact seen from outside, such as "finishes another browser's interaction with its uid". */
  readonly name: string;
  /** @returns a description of the attacker's gain; undefined if there is none */
  readonly run: (site: Site) => Promise<string | undefined>;
  /** The options of our server, if the attack needs other options than the usual ones of the tests. */
  readonly on?: WorldOptions;
  /** True if no other attack may use the same server. By default true if the server has limits. */
  readonly alone?: boolean;
  /** The defence that our server must lack for the attack to succeed: an attack that never succeeds proves nothing. */
  readonly without: Weakness;
}

/** A server without one defence. The switch is in the test, not in the product. */
export interface Weakness {
  /** The defence that is missing, such as "the binding cookie". */
  readonly defence: string;
  readonly options?: WorldOptions;
  /** Changes the code while the weak server runs. @returns a function that undoes the change */
  readonly patch?: () => () => void;
}

/**
 * Registers two facts about each attack: it fails on our server, and it succeeds on a server without the defence. The
 * second fact is about the attack, not about our server, so only the long suite checks it.
 */
export function prove(family: string, attacks: readonly Attack[]): void {
  describe(family, () => {
    const servers = new SharedServers();
    after(() => servers.stop());

    for (const attack of attacks) {
      const { row, name, without } = attack;
      registerSides(`row ${row}: ${name}`, {
        lacks: without.defence,
        succeeds: async () => {
          const got = await attackWeakServer(attack);
          expect(got, 'the attack gained nothing on a server without the defence').to.be.a('string');
        },
        fails: async () => {
          expect(await servers.attack(attack)).to.equal(undefined);
        },
      });
    }
  });
}

/** The two sides of one attack, each as a test. */
interface Sides {
  /** The defence that the weak server lacks: "the binding cookie". */
  readonly lacks: string;
  /** Expects that the attack succeeds on the weak server. */
  readonly succeeds: () => Promise<void>;
  /** Expects that the attack fails on our server. */
  readonly fails: () => Promise<void>;
}

/** Registers both sides of an attack. The side on the weak server runs only in the long suite. */
export function registerSides(title: string, { lacks, succeeds, fails }: Sides): void {
  inFullSuite(() => {
    it(`${title} – succeeds without ${lacks}`, succeeds);
  });
  it(`${title} – fails`, fails);
}

/** Patches the code while the weak server of an attack runs. */
export async function whilePatched<T>({ patch }: Pick<Weakness, 'patch'>, act: () => Promise<T>): Promise<T> {
  const undo = patch?.() ?? (() => undefined);
  try {
    return await act();
  } finally {
    undo();
  }
}

/** Runs the attack on a server without the defence. @returns the attacker's gain */
async function attackWeakServer({ on = {}, without, run }: Attack): Promise<string | undefined> {
  let got: string | undefined;
  await whilePatched(without, () =>
    World.during(merged(on, without.options ?? {}), async (world) => {
      got = await run(siteOf(world));
    }),
  );
  return got;
}

interface SharedServer {
  readonly world: World;
  readonly site: Site;
}

/** The servers for one family of attacks. Attacks with the same options share one until an attack leaves a trace. */
class SharedServers {
  readonly #idle = new Map<WorldOptions, SharedServer>();

  /** Runs the attack on our server. @returns the attacker's gain */
  async attack({ on = USUAL, alone = hasLimits(on), run }: Attack): Promise<string | undefined> {
    const server = this.#idle.get(on) ?? (await startServer(on));
    this.#idle.delete(on);
    let isClean = false;
    try {
      const got = await run(server.site);
      isClean = !alone && !(await hasNotes(server.world));
      return got;
    } finally {
      if (isClean) this.#idle.set(on, server);
      else await server.world.stop();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#idle.values()].map(({ world }) => world.stop()));
  }
}

const USUAL: WorldOptions = {};

async function startServer(on: WorldOptions): Promise<SharedServer> {
  const world = await World.start(on);
  return { world, site: siteOf(world) };
}

/** Returns true if the server has limits. One attack would use them up, and the next one would fail for that reason. */
function hasLimits({ qrLogin }: WorldOptions): boolean {
  return qrLogin?.limits !== undefined && qrLogin.limits !== false;
}

/** Returns true if the server keeps notes of reports or ended sessions, which make it refuse later requests. */
async function hasNotes({ store }: World): Promise<boolean> {
  if (store.iterator === undefined) throw new Error('this store cannot be listed');
  for await (const [key] of store.iterator(undefined)) if (`${key}`.startsWith('note:')) return true;
  return false;
}

export function siteOf(world: World): Site {
  return {
    issuer: world.issuer,
    client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK },
    metadata: async () => (await world.configuration()).serverMetadata(),
    later: withClockAhead,
  };
}

async function withClockAhead(milliseconds: number, act: () => Promise<unknown>): Promise<void> {
  const { now } = Date;
  Date.now = () => now() + milliseconds;
  try {
    await act();
  } finally {
    Date.now = now;
  }
}

/** Runs an act once per site, and shares the result among attacks that differ only in their weak servers. */
export function oncePerSite<T>(act: (site: Site) => Promise<T>): (site: Site) => Promise<T> {
  const done = new WeakMap<Site, Promise<T>>();
  return (site) => {
    const result = done.get(site) ?? act(site);
    done.set(site, result);
    return result;
  };
}

/** Replaces a method for as long as the weak server runs. */
export function replacing<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  replacement: (original: T[Name]) => T[Name],
): () => () => void {
  return () => {
    const original = prototype[name];
    prototype[name] = replacement(original);
    return () => {
      prototype[name] = original;
    };
  };
}

/** Returns options that put a middleware in front of our server. It gets each request first and each answer last. */
export function inFront(middleware: Middleware): WorldOptions {
  return { extend: ({ provider }: Fixture) => provider.middleware.unshift(middleware) };
}

function merged(on: WorldOptions, weak: WorldOptions): WorldOptions {
  return {
    ...on,
    ...weak,
    qrLogin: { ...on.qrLogin, ...weak.qrLogin },
    extend: (example) => {
      on.extend?.(example);
      weak.extend?.(example);
    },
  };
}
