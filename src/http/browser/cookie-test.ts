import type { RouterContext, RouterMiddleware } from '@koa/router';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import { matches, type SecretKeys } from '../../ticket/secret-keys.ts';
import { sourceOf } from '../request/client-info.ts';
import type { Cookies } from '../request/cookies.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import { seeOther } from '../request/responses.ts';
import { protectAnswer } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';

/** A browser comes back from the test within one slot, or the next. */
const SLOT_MS = 10_000;

export interface CookieTestPorts {
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'setTest'>;
}

/**
 * Tests if a browser that opens its interaction without any cookie accepts cookies. The server sends it a cookie, and
 * redirects it to the same page. The new address has a mark that only this browser can use, for at most 20 seconds, so
 * that a link on another site cannot claim that cookies are off.
 */
export class CookieTest {
  readonly #ports: CookieTestPorts;

  constructor(ports: CookieTestPorts) {
    this.#ports = ports;
  }

  /** Begins the test for a page that a browser opens without a cookie. Mounted in front of the page. */
  begin: RouterMiddleware = (ctx, next) => {
    if (!this.#isCandidate(ctx) || this.#isMarked(ctx)) return next();
    const { cookies, urls } = this.#ports;
    const { uid = '' } = ctx.params;
    const self = urls.interaction(encodeURIComponent(uid));
    protectAnswer(ctx);
    cookies.setTest(ctx, self);
    const [mark] = this.#marks(ctx);
    seeOther(ctx, `${self}?cookies=${mark}`);
  };

  /**
   * Refuses a browser that has come back from the test without a cookie.
   * @throws QrLoginError `no_interaction`
   */
  assertPassed({ ctx }: Pick<PluginRequest, 'ctx'>): void {
    if (!this.#isCandidate(ctx) || !this.#isMarked(ctx)) return;
    throw new QrLoginError('no_interaction', 'This browser sent no cookies. Allow cookies, then sign in again.', {
      reason: 'no-cookies',
    });
  }

  /** Returns true for a page that a browser opens without cookies. Only browsers send `Sec-Fetch-Dest`. */
  #isCandidate(ctx: RouterContext): boolean {
    return ctx.method === 'GET' && ctx.get('cookie') === '' && ctx.get('sec-fetch-dest') === 'document';
  }

  #isMarked(ctx: RouterContext): boolean {
    const { cookies: mark } = ctx.query;
    return typeof mark === 'string' && matches(this.#marks(ctx), mark);
  }

  /** Returns the marks that are good now. The first one is made with the current key. */
  #marks(ctx: RouterContext): string[] {
    const { keys, clock } = this.#ports;
    const slot = Math.floor(clock() / SLOT_MS);
    const browser = [ctx.params.uid ?? '', sourceOf(ctx), ctx.get('user-agent')];
    return [slot, slot - 1].flatMap((at) =>
      keys.candidates('cookie test', ...browser, `${at}`).map((mac) => mac.toString('base64url')),
    );
  }
}
