/**
 * Measures the cost of a token in a grant with one live token, and in a grant with ten thousand, with the adapter on a
 * Keyv in memory.
 */
import { Keyv } from 'keyv';
import type { Adapter } from 'oidc-provider';
import { keyvAdapter } from '../../src/index.ts';
import type { Result, Size } from '../measure.ts';
import { percentile, rounded } from '../statistics.ts';

/**
 * The live tokens of a new grant at the beginning of its round, and those of the large grant before the first round.
 */
const FEW = 1;
const MANY = 10_000;
const LIFETIME_S = 24 * 3600;
/** A token in a grant with many tokens may cost this many times as much as one in a new grant. */
const LIMIT = 1.2;

/** The number of rounds, and the number of tokens that each grant gets in a round. */
const SIZES: Readonly<Record<Size, readonly [rounds: number, tokens: number]>> = { full: [200, 64], quick: [20, 64] };

export async function grants(size: Size): Promise<Result> {
  const [rounds, tokens] = SIZES[size];
  const adapter = keyvAdapter(new Keyv(), { secrets: ['a bench has no secrets, but they must be long enough'] });
  const writer = new TokenWriter(adapter('AccessToken'));
  await writer.write('warm-up', 2_000);
  await writer.write('many', MANY);
  const few: number[] = [];
  const many: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Begin a new grant in each round, because a grant that gets tokens does not stay small.
    const fresh = `${round}`;
    await writer.write(fresh, FEW);
    few.push((await cpuDuring(() => writer.write(fresh, tokens))) / tokens);
    many.push((await cpuDuring(() => writer.write('many', tokens))) / tokens);
  }
  const [inNew, inLarge] = [percentile(few, 0.5), percentile(many, 0.5)];
  const goal = {
    name: `CPU of a token in a grant with ${MANY} live ones`,
    ours: inLarge,
    unit: 'µs',
    against: { name: 'in a new grant', value: inNew },
    limit: LIMIT,
  };
  const rows = [
    [FEW, Math.round(inNew), 1],
    [MANY, Math.round(inLarge), rounded(inLarge / inNew)],
  ];
  const columns = ['live tokens of the grant', 'µs', 'ratio'];
  return { goals: [goal], tables: [{ title: 'CPU of a token', columns, rows }], charts: [] };
}

async function cpuDuring(act: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

class TokenWriter {
  readonly #tokens: Adapter;
  #written = 0;

  constructor(tokens: Adapter) {
    this.#tokens = tokens;
  }

  async write(grantId: string, count: number): Promise<void> {
    for (let one = 0; one < count; one += 1) {
      this.#written += 1;
      const jti = String(this.#written).padStart(43, '0');
      await this.#tokens.upsert(
        jti,
        { jti, grantId, kind: 'AccessToken', clientId: 'rp', scope: 'openid' },
        LIFETIME_S,
      );
    }
  }
}
