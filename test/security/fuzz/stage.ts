/** A server that is fuzzed: with somebody who sends what they like, and a bystander. */
import { expect } from 'chai';
import fc, { type IAsyncProperty } from 'fast-check';
import type Koa from 'koa';
import { StillClock } from '../../support/clock.ts';
import { PhonePerson, World, type WorldOptions } from '../../support/world.ts';
import { expectDecent, expectOurs, isOurs } from './answers.ts';
import { bytesOf } from './bytes.ts';
import { damage, damages, OUTRAGES } from './outrages.ts';
import { Pair } from './people.ts';
import { type Fuzzed, requests } from './requests.ts';
import { exchange } from './wire.ts';

/** Milliseconds without a byte after which a server hangs that was sent a whole request. No machine is so slow. */
const PATIENT = 30_000;
/** Milliseconds without a byte after which nobody waits any more for an answer to half a request: there may be none. */
const IMPATIENT = 150;

export class Stage {
  readonly world: World;
  /** How often each answer came, by what was asked. */
  readonly tally: Map<string, number> = new Map<string, number>();
  /** Each route that was asked for with the method that it has. */
  readonly asked: Set<string> = new Set<string>();
  readonly #base: string;
  readonly #phones: readonly [PhonePerson, PhonePerson];
  /** What Koa and the provider are told that went wrong. */
  readonly #troubles: unknown[];

  private constructor(world: World, base: string, phones: readonly [PhonePerson, PhonePerson], troubles: unknown[]) {
    this.world = world;
    this.#base = base;
    this.#phones = phones;
    this.#troubles = troubles;
  }

  static async start(options: WorldOptions): Promise<Stage> {
    const troubles: unknown[] = [];
    const hear = (error: unknown): void => {
      if (!isOfConnection(error)) troubles.push(error);
    };
    const world = await World.start({
      ...options,
      // The bystander's ticket stays as it is, however long the fuzzing takes.
      clock: new StillClock(),
      extend: (example) => {
        for (const koa of new Set<Koa>([example.app, example.provider])) koa.on('error', hear);
        example.provider.on('server_error', (_ctx, error) => hear(error));
        options.extend?.(example);
      },
    });
    const phones = await Promise.all([new PhonePerson(world).signIn('alice'), new PhonePerson(world).signIn('bob')]);
    return new Stage(world, options.path ?? '', phones, troubles);
  }

  stop(): Promise<void> {
    return this.world.stop();
  }

  /** Requests that are well-formed, but for what is in them. */
  get strange(): IAsyncProperty<[Fuzzed[]]> {
    const some = fc.array(requests, { minLength: 1, maxLength: 40, size: 'max' });
    return fc.asyncProperty(some, (sent) =>
      this.#besideBystander(async (mine, theirs) => {
        for (const fuzzed of sent) {
          const bytes = bytesOf(fuzzed, this.#base, mine.secrets, theirs.secrets);
          const answer = await exchange(this.world.origin, bytes, PATIENT);
          if (answer === undefined) throw new Error(`no answer to ${bytes}`);
          expectDecent(answer);
          if (isOurs(fuzzed, answer)) expectOurs(answer);
          const what = `${fuzzed.method} ${fuzzed.route.path}: ${answer.status}`;
          this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
          if (fuzzed.method === fuzzed.route.method) this.asked.add(`${fuzzed.method} ${fuzzed.route.path}`);
        }
      }),
    );
  }

  /** Requests of which not all bytes arrive, or others. */
  get damaged(): IAsyncProperty<unknown[]> {
    const some = fc.array(fc.tuple(requests, damages), { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(some, (sent) =>
      this.#besideBystander(async (mine) => {
        for (const [fuzzed, how] of sent) {
          await this.#send(damage(bytesOf(fuzzed, this.#base, mine.secrets, mine.secrets), how), 'damaged');
        }
      }),
    );
    return property as unknown as IAsyncProperty<unknown[]>;
  }

  async outrages(): Promise<void> {
    await this.#besideBystander(async (mine) => {
      // All at once, because many of them are never answered.
      await Promise.all(OUTRAGES(this.#base, mine.secrets).map(([what, bytes]) => this.#send(bytes, what)));
    });
  }

  async #send(bytes: Buffer, what: string): Promise<void> {
    const answer = await exchange(this.world.origin, bytes, IMPATIENT);
    if (answer !== undefined) expect(answer.status, `${what}: ${answer.body}`).to.be.within(200, 499);
  }

  /** Does it beside a bystander, to whom nothing may happen by that. */
  async #besideBystander(act: (mine: Pair, theirs: Pair) => Promise<void>): Promise<void> {
    const [mine, theirs] = await Promise.all(this.#phones.map((phone) => Pair.meet(this.world, phone)));
    if (mine === undefined || theirs === undefined) throw new Error('nobody is there');
    const before = await theirs.ticket();
    expect(before).to.include({ state: 'scanned' });
    await act(mine, theirs);
    expect(await theirs.ticket(), 'the bystander').to.deep.equal(before);
    expect(this.#troubles, 'what nobody foresaw').to.deep.equal([]);
  }
}

/** What the other side did to the connection, as Node tells it. */
function isOfConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? `${error.code}` : '';
  return /^(HPE_\w+|ECONNRESET|EPIPE|ECONNABORTED)$/.test(code);
}
