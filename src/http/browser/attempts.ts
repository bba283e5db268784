import type { Context, Middleware } from 'koa';
import type { Interaction } from '../../oidc/interaction.ts';
import type { Cookies } from '../request/cookies.ts';

/**
 * Limits the cookies of attempts to sign in. Each interaction has six cookies, two of ours and four of oidc-provider's.
 * Those of many unfinished interactions would push other cookies of the site out of the browser.
 */
export class Attempts {
  readonly #cookies: Pick<Cookies, 'limitAttempts'>;
  readonly #started = new WeakMap<Context, Interaction>();

  constructor(cookies: Pick<Cookies, 'limitAttempts'>) {
    this.#cookies = cookies;
  }

  /** Notes that this request has started an interaction. */
  note(ctx: Context, interaction: Interaction): void {
    this.#started.set(ctx, interaction);
  }

  /**
   * Limits the cookies once oidc-provider has set those of the new interaction. Mounted in front of oidc-provider's own
   * URLs.
   */
  limit: Middleware = async (ctx, next) => {
    await next();
    const interaction = this.#started.get(ctx);
    if (interaction === undefined) return;
    const { uid, returnTo } = interaction;
    const { pathname } = new URL(returnTo);
    // The URL that resumes an interaction lies below the one that starts it, so both requests have the cookie.
    this.#cookies.limitAttempts(ctx, uid, pathname.slice(0, pathname.lastIndexOf('/')));
  };
}
