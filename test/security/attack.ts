/** What an attack is, and how it is proven to be one. */
import { expect } from 'chai';
import type { Middleware } from 'koa';
import type { Fixture } from '../fixtures/provider.ts';
import type { Site } from '../support/visitors.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, World, type WorldOptions } from '../support/world.ts';

/** Somebody tries to get what they should not. Over HTTP alone, so that it can be tried on any server. */
export interface Attack {
  /** The row of the table in docs/security.md that it belongs to. */
  readonly row: number;
  /** What the attacker does, as a fact: "finishes with the uid of somebody else's interaction". */
  readonly name: string;
  /** @returns what the attacker got; undefined where that is nothing */
  readonly run: (site: Site) => Promise<string | undefined>;
  /** What our server is like, where the usual one of the tests is not what the attack is about. */
  readonly on?: WorldOptions;
  /** What our server must lack for the attack to succeed: one that never succeeds proves nothing. */
  readonly without: Weakness;
}

/** A switch in the test, not in the product. */
export interface Weakness {
  /** What is missing: "the binding cookie". */
  readonly name: string;
  readonly options?: WorldOptions;
  /** Changes the code while the weak server runs. @returns what undoes that */
  readonly patch?: () => () => void;
}

/** For each attack two facts: it succeeds on a server without what stops it, and fails on ours. */
export function prove(family: string, attacks: readonly Attack[]): void {
  describe(family, () => {
    for (const { row, name, run, on = {}, without } of attacks) {
      const title = `row ${row}: ${name}`;

      it(`${title} – succeeds without ${without.name}`, async () => {
        const undo = without.patch?.() ?? (() => undefined);
        try {
          await World.during(merged(on, without.options ?? {}), async (world) => {
            expect(await run(siteOf(world)), 'the attack got nothing from a server that cannot resist it').to.be.a(
              'string',
            );
          });
        } finally {
          undo();
        }
      });

      it(`${title} – fails`, async () => {
        await World.during(on, async (world) => {
          expect(await run(siteOf(world))).to.equal(undefined);
        });
      });
    }
  });
}

export function siteOf(world: World): Site {
  return {
    issuer: world.issuer,
    client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK },
    metadata: async () => (await world.configuration()).serverMetadata(),
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

/** Something that sees each request before our server does, and each answer after it. */
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
