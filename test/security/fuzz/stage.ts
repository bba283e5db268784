/** Runs a server for fuzzing: an attacker sends the fuzzed requests while a bystander is in the middle of a sign-in. */
import { expect } from 'chai';
import fc, { type IAsyncProperty } from 'fast-check';
import type Koa from 'koa';
import { StillClock } from '../../support/clock.ts';
import { World, type WorldOptions } from '../../support/world.ts';
import { expectDecent, expectOurs, isOurs } from './answers.ts';
import { bytesOf, pathOf } from './bytes.ts';
import { SHOPS, withShops } from './credentials.ts';
import { damage, damages, outrages } from './outrages.ts';
import { Pair, type Sender } from './people.ts';
import { type FuzzRequest, requestsTo } from './requests.ts';
import { ROUTES, type Route } from './routes.ts';
import { exchange } from './wire.ts';

/**
 * The longest pause before a byte of an answer to a complete request. Even on a slow machine, only a server that hangs
 * pauses longer.
 */
const WHOLE_REQUEST_TIMEOUT_MS = 30_000;
/**
 * The longest pause before a byte of an answer to a broken request. After it, the wait ends, because there may be no
 * answer.
 */
const BROKEN_REQUEST_TIMEOUT_MS = 150;

const ATTACKER: Sender = { name: 'alice', account: 'a11ce', shop: SHOPS.mine };
const BYSTANDER: Sender = { name: 'bob', account: 'b0b', shop: SHOPS.theirs };

export class Stage {
  readonly world: World;
  /** Counts the answers by method, route and status. */
  readonly tally: Map<string, number> = new Map<string, number>();
  /** The routes that were requested with a method that they have. */
  readonly #asked: Set<string> = new Set<string>();
  readonly #base: string;
  /** The errors that Koa and the provider have reported. */
  readonly #troubles: unknown[];

  private constructor(world: World, base: string, troubles: unknown[]) {
    this.world = world;
    this.#base = base;
    this.#troubles = troubles;
  }

  static async start(options: WorldOptions): Promise<Stage> {
    const troubles: unknown[] = [];
    const hear = (error: unknown): void => {
      if (!isOfConnection(error)) troubles.push(error);
    };
    const world = await World.start({
      ...withShops(options),
      // The clock stands still, so that the bystander's ticket does not expire during the fuzzing.
      clock: new StillClock(),
      extend: (example) => {
        for (const koa of new Set<Koa>([example.app, example.provider])) koa.on('error', hear);
        example.provider.on('server_error', (_ctx, error) => hear(error));
        options.extend?.(example);
      },
    });
    return new Stage(world, options.path ?? '', troubles);
  }

  stop(): Promise<void> {
    return this.world.stop();
  }

  /** Well-formed requests with strange contents. */
  strangeRequests(routes: readonly Route[] = ROUTES): IAsyncProperty<[FuzzRequest[]]> {
    const some = fc.array(requestsTo(routes), { minLength: 1, maxLength: 40, size: 'max' });
    return fc.asyncProperty(some, (sent) =>
      this.#besideBystander(async (mine, theirs) => {
        for (const fuzzed of sent) await this.#request(fuzzed, mine, theirs);
      }),
    );
  }

  /** The routes that were not requested yet with a method that they have. */
  get missed(): Route[] {
    return ROUTES.filter(({ method, path }) => !this.#asked.has(`${method} ${path}`));
  }

  /** Requests of which bytes are missing, added or changed. */
  get damagedRequests(): IAsyncProperty<unknown[]> {
    const some = fc.array(fc.tuple(requestsTo(ROUTES), damages), { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(some, (sent) =>
      this.#besideBystander(async (mine) => {
        for (const [fuzzed, how] of sent) {
          await this.#send(damage(bytesOf(fuzzed, this.#base, mine.secrets, mine.secrets), how), 'damaged');
        }
      }),
    );
    return property as unknown as IAsyncProperty<unknown[]>;
  }

  async sendOutrages(): Promise<void> {
    await this.#besideBystander(async (mine) => {
      // Send all at the same time, because many of them are never answered.
      await Promise.all(outrages(this.#base, mine.secrets).map(([what, bytes]) => this.#send(bytes, what)));
    });
  }

  /** Sends a well-formed request, and checks its answer. */
  async #request(fuzzed: FuzzRequest, mine: Pair, theirs: Pair): Promise<void> {
    const { method, route } = fuzzed;
    const path = pathOf(fuzzed, mine.secrets, theirs.secrets);
    const credentials = await mine.credentials.headersFor(fuzzed, path, theirs.credentials);
    const bytes = bytesOf(fuzzed, this.#base, mine.secrets, theirs.secrets, credentials);
    const answer = await exchange(this.world.origin, bytes, WHOLE_REQUEST_TIMEOUT_MS);
    if (answer === undefined) throw new Error(`no answer to ${bytes}`);
    expectDecent(answer, fuzzed);
    if (isOurs(fuzzed, answer)) expectOurs(answer, fuzzed);
    const what = `${method} ${route.path}: ${answer.status}`;
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
    if (method === route.method) this.#asked.add(`${method} ${route.path}`);
  }

  async #send(bytes: Buffer, what: string): Promise<void> {
    const answer = await exchange(this.world.origin, bytes, BROKEN_REQUEST_TIMEOUT_MS);
    if (answer !== undefined) expect(answer.status, `${what}: ${answer.body}`).to.be.within(200, 499);
  }

  /** Runs the act beside a bystander, and expects that the bystander's ticket does not change. */
  async #besideBystander(act: (mine: Pair, theirs: Pair) => Promise<void>): Promise<void> {
    const [mine, theirs] = await Promise.all([Pair.start(this.world, ATTACKER), Pair.start(this.world, BYSTANDER)]);
    const before = await theirs.state();
    await act(mine, theirs);
    expect(await theirs.state(), 'the bystander').to.deep.equal(before);
    expect(this.#troubles, 'unexpected errors').to.deep.equal([]);
  }
}

/** Returns true if the error only says that the client broke the connection or the protocol. */
function isOfConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? `${error.code}` : '';
  return /^(HPE_\w+|ECONNRESET|EPIPE|ECONNABORTED)$/.test(code);
}
