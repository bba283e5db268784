import type { Context, Middleware } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import type { Interaction } from '../../oidc/interaction.ts';
import { isOfOtherPolicy } from '../../oidc/policy.ts';
import type { Provider } from '../../oidc/provider.ts';
import { serverError } from '../hooks/call-hook.ts';
import type { Urls } from '../request/urls.ts';
import { mountFault } from './mount-path.ts';
import { PageWatch } from './page-watch.ts';
import {
  foreignPolicy,
  foreignUrl,
  isInDevelopment,
  plainHttp,
  unsignedCookies,
  type WiringFault,
} from './wiring-fault.ts';

/** The most addresses of other interaction pages that are remembered. */
const MAX_OTHER_PAGES = 100;

/**
 * Checks how the plugin is built into the provider and its host, as far as requests show it. Each fault is reported
 * once, as a warning of the process and as `server_error`. In development, it is also shown instead of a page that
 * would not work.
 */
export class Wiring {
  readonly #provider: Provider;
  readonly #urls: Urls;
  readonly #watch: PageWatch;
  /** The parts with a fault that was reported. */
  readonly #reported = new Set<WiringFault['part']>();
  /** The requests that started an interaction with `qr.interactionUrl`. */
  readonly #ours = new WeakSet<Context>();
  /** The faults that keep an interaction from being finished, by the request that has started it. */
  readonly #fatal = new WeakMap<Context, WiringFault>();
  /** The requests that started an interaction without `qr.interactionUrl`, at a prompt whose page is the plugin's. */
  readonly #others = new WeakSet<Context>();
  /** The paths to which the requests in `#others` have redirected their browsers. */
  readonly #otherPages = new Set<string>();
  /** A fault that was found after its request had been answered. The next request shows it, once. */
  #unseen: WiringFault | undefined;
  #urlFault: WiringFault | undefined;

  constructor({ provider, urls }: { readonly provider: Provider; readonly urls: Urls }) {
    this.#provider = provider;
    this.#urls = urls;
    this.#watch = new PageWatch(urls.base, (fault, ctx) => {
      this.#unseen ??= fault;
      this.#report(fault, ctx);
    });
    provider.on('interaction.started', (ctx, { name }) => this.#checkStarted(ctx, name));
  }

  /** The fault because of which a browser may lack the plugin's cookie, if a request has shown one. */
  get urlFault(): WiringFault | undefined {
    return this.#urlFault;
  }

  /** Middleware in front of the plugin's routes, which notes that a request for an interaction page has arrived. */
  get noteArrival(): Middleware {
    return this.#watch.noteArrival;
  }

  /** Checks a request that starts an interaction with `qr.interactionUrl`. */
  noteInteraction(ctx: Context, interaction: Interaction): void {
    const { issuer } = this.#provider;
    this.#ours.add(ctx);
    if (isOfOtherPolicy(interaction)) this.#report(foreignPolicy(), ctx);
    if (issuer.startsWith('https:') && !ctx.secure) this.#report(plainHttp(issuer), ctx);
    const unseen = this.#unseen;
    this.#unseen = undefined;
    const fault = mountFault(ctx, issuer, this.#urls.base);
    if (fault !== undefined) this.#report(fault, ctx);
    // Expect no request for the page if it is at a wrong path: the request would not reach the plugin.
    else this.#watch.expect(interaction.uid, ctx);
    this.#markFatal(ctx, fault ?? unseen);
  }

  /**
   * Mounted in front of oidc-provider's own URLs.
   * @throws QrLoginError `server_error`, in development, for a request that starts an interaction that cannot be
   * finished
   */
  readonly check: Middleware = async (ctx, next) => {
    await next();
    if (!isInDevelopment()) return;
    const fault = this.#fatal.get(ctx) ?? this.#faultOfMissingPage(ctx);
    if (fault === undefined) return;
    ctx.remove('Location');
    throw serverError(fault);
  };

  close(): void {
    this.#watch.end();
  }

  /** Called before the redirect, when the cookies of the interaction are set already. */
  #checkStarted(ctx: Context, prompt: string): void {
    if (!isSigned(ctx, this.#provider.cookieName('interaction'))) {
      const fault = unsignedCookies();
      this.#report(fault, ctx);
      this.#markFatal(ctx, fault);
    }
    // A prompt of the deployment may have a page at an address of its own.
    if (this.#ours.has(ctx) || !['login', 'consent'].includes(prompt)) return;
    this.#others.add(ctx);
    this.#urlFault ??= foreignUrl();
    this.#report(this.#urlFault, ctx);
  }

  #markFatal(ctx: Context, fault: WiringFault | undefined): void {
    if (fault !== undefined) this.#fatal.set(ctx, fault);
  }

  /**
   * Returns the fault if this request was for an interaction page that is not the plugin's, and that does not exist.
   */
  #faultOfMissingPage(ctx: Context): WiringFault | undefined {
    const { issuer } = this.#provider;
    if (this.#others.has(ctx) && this.#otherPages.size < MAX_OTHER_PAGES)
      this.#otherPages.add(new URL(ctx.response.get('Location'), issuer).pathname);
    if (ctx.status !== 404 || this.#otherPages.size === 0) return undefined;
    return this.#otherPages.has(this.#urls.base + ctx.path) ? this.#urlFault : undefined;
  }

  #report(fault: WiringFault, ctx: Context): void {
    if (this.#reported.has(fault.part)) return;
    this.#reported.add(fault.part);
    process.emitWarning(fault.message, { type: 'QrLoginWarning', code: 'QR_LOGIN_WIRING' });
    callListener(() => this.#provider.emit('server_error', ctx, fault));
  }
}

function isSigned(ctx: Context, name: string): boolean {
  const set = [ctx.res.getHeader('set-cookie') ?? []].flat().map(String);
  return set.some((cookie) => cookie.startsWith(`${name}.sig=`));
}
