import type { Context, Middleware } from 'koa';
import type { Provider } from '../../oidc/provider.ts';
import type { RateLimits } from '../request/rate-limits.ts';

/** oidc-provider's URLs that can start an interaction. */
const STARTS = ['authorization', 'code_verification'];

/**
 * Limits the interactions that one network address starts, because each is kept in the store for an hour and costs the
 * sender nothing. Requests that end without an interaction, such as those with `prompt=none`, do not count.
 */
export class StartLimit {
  readonly #limits: Pick<RateLimits, 'beforeStart' | 'afterStart'>;
  readonly #paths: ReadonlySet<string>;
  readonly #started = new WeakSet<Context>();

  constructor(limits: Pick<RateLimits, 'beforeStart' | 'afterStart'>, provider: Provider) {
    this.#limits = limits;
    this.#paths = new Set(STARTS.flatMap((name) => pathOf(provider, name)));
  }

  /** Notes that this request has started an interaction. */
  note(ctx: Context): void {
    this.#started.add(ctx);
  }

  /** Refuses a request over the limit. Mounted in front of oidc-provider's own URLs. @throws TooManyRequests */
  check: Middleware = async (ctx, next) => {
    if (!this.#paths.has(ctx.path)) return next();
    await this.#limits.beforeStart(ctx);
    await next();
    if (this.#started.has(ctx)) await this.#limits.afterStart(ctx);
  };
}

/** Returns the path below the provider's mount path, or nothing if the feature is not switched on. */
function pathOf(provider: Provider, name: string): string[] {
  try {
    return [provider.pathFor(name, { mountPath: '' })];
  } catch {
    return [];
  }
}
