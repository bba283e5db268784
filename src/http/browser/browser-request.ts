import type { RouterMiddleware } from '@koa/router';
import { type Session, sessionOf } from '../../oidc/approver.ts';
import { findClientHome } from '../../oidc/client.ts';
import {
  assertPrompt,
  type Interaction,
  interactionOf,
  noInteraction,
  type PluginPrompt,
} from '../../oidc/interaction.ts';
import type { Provider } from '../../oidc/provider.ts';
import { isSignedInTo } from '../../oidc/session-clients.ts';
import type { BrowserIdentity } from '../../ticket/browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import { type Fields, readFields } from '../request/body.ts';
import type { Cookies } from '../request/cookies.ts';
import type { Entry, Guard } from '../request/guard.ts';
import { assertNotEmbedded, makeSameOriginGuard } from '../request/origin.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { AddressAct, RateLimits } from '../request/rate-limits.ts';
import type { Urls } from '../request/urls.ts';
import type { Wiring } from '../wiring/wiring.ts';
import { CookieTest, type CookieTestPorts } from './cookie-test.ts';

/**
 * A request of the browser that started the interaction in the URL: only that browser has the cookies of oidc-provider
 * and of the plugin.
 */
export interface BrowserRequest extends PluginRequest {
  readonly interaction: Interaction;
  readonly identity: BrowserIdentity;
}

/** A POST of the browser that started the interaction, from a page of the provider. */
export interface BrowserForm extends BrowserRequest {
  readonly fields: Fields;
}

/** A POST that belongs to one prompt, while the interaction waits for that prompt. */
export interface PromptForm<Prompt extends PluginPrompt> extends BrowserForm {
  readonly prompt: Prompt;
}

/** The interaction of the URL, and the session of its browser if there is one. */
type FoundInteraction = readonly [Interaction, Session | undefined];

export interface BrowserRequestPorts extends CookieTestPorts {
  readonly provider: Provider;
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'binding' | 'origin' | 'setTest'>;
  readonly limits: Pick<RateLimits, 'byAddress'>;
  readonly wiring: Pick<Wiring, 'urlFault'>;
}

/** Makes the entries of the browser's routes. */
export class BrowserGuards {
  readonly #ports: BrowserRequestPorts;
  readonly #sameOrigin: Guard;
  readonly #cookieTest: CookieTest;

  constructor(ports: BrowserRequestPorts) {
    this.#ports = ports;
    this.#sameOrigin = makeSameOriginGuard(ports.urls);
    this.#cookieTest = new CookieTest(ports);
  }

  /** Middleware that runs before the handler of the page, and tests if a browser without any cookie accepts cookies. */
  get cookieTest(): RouterMiddleware {
    return this.#cookieTest.begin;
  }

  /** Makes the entry for a GET. */
  look(act: AddressAct): Entry<BrowserRequest> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      assertNotEmbedded(request);
      this.#noteWayBack(request);
      // Start reading before the request is counted, so that both together take one round trip to the store.
      const finding = this.#find(request);
      // Marked as handled: if the limit is reached, this rejection must not become an unhandled one.
      finding.catch(() => undefined);
      await count(request);
      this.#cookieTest.assertPassed(request);
      return this.#identify(request, finding);
    };
  }

  /**
   * Makes the entry for a POST, whichever prompt is pending. A request from another site is refused before it is
   * counted, or it would use up the user's limit.
   */
  form(act: AddressAct): Entry<BrowserForm> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      await this.#sameOrigin(request);
      this.#noteWayBack(request);
      await count(request);
      const fields = await readFields(request.ctx);
      return { ...(await this.#identify(request, this.#find(request))), fields };
    };
  }

  /** Makes the entry for a POST that belongs to one prompt. */
  promptForm<Prompt extends PluginPrompt>(act: AddressAct, prompt: Prompt): Entry<PromptForm<Prompt>> {
    const enter = this.form(act);
    return async (request) => {
      const form = await enter(request);
      assertPrompt(form.interaction, prompt);
      return { ...form, prompt };
    };
  }

  /** After a 429 on a POST, "Try again" links to the interaction page, because the POST cannot be repeated by a GET. */
  #noteWayBack({ ctx, failure }: PluginRequest): void {
    failure.again = this.#ports.urls.interaction(uidIn(ctx));
  }

  async #identify(request: PluginRequest, finding: Promise<FoundInteraction>): Promise<BrowserRequest> {
    const { urls, cookies, wiring } = this.#ports;
    const { ctx, failure } = request;
    const uid = uidIn(ctx);
    const [interaction, session] = await finding;
    const binding = cookies.binding(ctx, uid);
    if (binding === undefined) throw noInteraction(wiring.urlFault);
    failure.back = urls.interaction(uid);
    return { ...request, interaction, identity: { interaction: uid, binding, accountId: session?.accountId } };
  }

  #find({ ctx, failure }: PluginRequest): Promise<FoundInteraction> {
    const { provider } = this.#ports;
    const uid = uidIn(ctx);
    // Read the session as it is now: another tab may have signed in since the interaction began.
    const session = sessionOf(provider, ctx);
    const interaction = interactionOf(provider, ctx, uid).catch(async (error: unknown) => {
      if (error instanceof QrLoginError) await this.#explainEnd({ ctx, failure }, uid, await session);
      throw error;
    });
    return Promise.all([interaction, session]);
  }

  /**
   * Explains that the interaction is over: the error page links to the client that started it.
   * @throws QrLoginError if the browser is signed in to that client: its user went back in the history, or uses another
   * tab
   */
  async #explainEnd(
    { ctx, failure }: Pick<PluginRequest, 'ctx' | 'failure'>,
    uid: string,
    session: Session | undefined,
  ): Promise<void> {
    const { provider, cookies } = this.#ports;
    const from = cookies.origin(ctx, uid);
    if (from === undefined) return;
    const home = await findClientHome(provider, from.clientId, from.site);
    if (home !== undefined) failure.home = home;
    if (session !== undefined && isSignedInTo(session, from.clientId)) throw alreadySignedIn();
  }
}

function alreadySignedIn(): QrLoginError {
  return new QrLoginError('no_interaction', 'This sign-in is finished already. Go back to the app.', {
    reason: 'signed-in',
  });
}

function uidIn({ params }: PluginRequest['ctx']): string {
  return params.uid ?? '';
}
