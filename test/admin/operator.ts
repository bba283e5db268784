import type { Context } from 'koa';
import type { QrAdmin } from '../../src/index.ts';
import { Agent, type Answer } from '../support/agent.ts';
import type { World, WorldOptions } from '../support/world.ts';

type Act = (admin: QrAdmin, by: { readonly ctx: Context; readonly operator: string }) => Promise<unknown>;

const PATH = '/operate';

/** An operator whose requests call `qr.admin`, as the console of a deployment does. */
export class Operator {
  readonly #agent = new Agent();
  #act: Act = async () => undefined;

  /** For the option `extend` of a world. */
  readonly extend: NonNullable<WorldOptions['extend']> = ({ provider, qr }) =>
    provider.use(async (ctx, next) => {
      if (ctx.path !== PATH) return next();
      ctx.body = { result: (await this.#act(qr.admin, { ctx, operator: 'olga' })) ?? null };
    });

  /** Sends a request that runs an act at the provider. */
  async request(world: World, act: Act): Promise<Answer> {
    this.#act = act;
    return this.#agent.post(`${world.origin}${PATH}`, { json: {} });
  }

  /** Returns what an act returns. @throws Error if the request fails */
  async run<Result>(world: World, act: (...from: Parameters<Act>) => Promise<Result>): Promise<Result> {
    const answer = await this.request(world, act);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return answer.json().result as Result;
  }
}
