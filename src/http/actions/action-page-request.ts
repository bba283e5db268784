import type { Provider } from '../../oidc/provider.ts';
import type { ActionActs, ActionTicket } from '../../ticket/actions.ts';
import type { BrowserIdentity } from '../../ticket/browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import { hasBrowser } from '../../ticket/ticket.ts';
import { type Fields, readFields } from '../request/body.ts';
import type { Cookies } from '../request/cookies.ts';
import type { Entry, Guard } from '../request/guard.ts';
import { assertNotEmbedded, makeSameOriginGuard } from '../request/origin.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { AddressAct, RateLimits } from '../request/rate-limits.ts';
import type { Urls } from '../request/urls.ts';

/** A request for the page of an action, from any browser that has its address. */
export interface ActionVisit extends PluginRequest {
  readonly ticket: ActionTicket;
  /** True if this is the browser that shows the action. */
  readonly isShownHere: boolean;
}

/** The POST with which a browser opens an action. */
export interface ActionOpening extends ActionVisit {
  readonly fields: Fields;
}

/** A request of the browser that shows the action. */
export interface ActionPageRequest extends PluginRequest {
  readonly ticket: ActionTicket;
  readonly identity: BrowserIdentity;
}

/** A POST of the browser that shows the action, from a page of the provider. */
export interface ActionForm extends ActionPageRequest {
  readonly fields: Fields;
}

export interface ActionRequestPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly actions: Pick<ActionActs, 'look'> };
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'binding'>;
  readonly limits: Pick<RateLimits, 'byAddress'>;
}

/** Makes the entries of the routes below the page of an action. */
export class ActionGuards {
  readonly #ports: ActionRequestPorts;
  readonly #sameOrigin: Guard;

  constructor(ports: ActionRequestPorts) {
    this.#ports = ports;
    this.#sameOrigin = makeSameOriginGuard(ports.urls);
  }

  /** Makes the entry for the page. A browser that does not show the action yet may open it, too. */
  visit(act: AddressAct): Entry<ActionVisit> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      assertNotEmbedded(request);
      await count(request);
      return this.#visit(request);
    };
  }

  /**
   * Makes the entry for the POST with which a browser opens the action. A browser that does not send the cookie that
   * the page has set is refused.
   */
  open(act: AddressAct): Entry<ActionOpening> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      await this.#sameOrigin(request);
      await count(request);
      const fields = await readFields(request.ctx);
      const visit = await this.#visit(request);
      if (this.#ports.cookies.binding(request.ctx, visit.ticket.interaction) === undefined) throw noCookies();
      return { ...visit, fields };
    };
  }

  /** Makes the entry for a GET of the browser that shows the action. */
  look(act: AddressAct): Entry<ActionPageRequest> {
    const visit = this.visit(act);
    return async (request) => this.#identify(await visit(request));
  }

  /**
   * Makes the entry for a POST of the browser that shows the action. A request from another site is refused before it
   * is counted, or it would use up the user's limit.
   */
  form(act: AddressAct): Entry<ActionForm> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      await this.#sameOrigin(request);
      await count(request);
      const fields = await readFields(request.ctx);
      return { ...this.#identify(await this.#visit(request)), fields };
    };
  }

  /**
   * Finds the action in the URL.
   * @throws QrLoginError `not_found` if there is no such action, or if another browser shows it
   */
  async #visit(request: PluginRequest): Promise<ActionVisit> {
    const { ceremony, cookies, urls } = this.#ports;
    const { ctx, failure } = request;
    const { id = '' } = ctx.params;
    const ticket = await ceremony.actions.look(id);
    if (ticket === undefined) throw noAction();
    const isShownHere = ticket.browser.binding === cookies.binding(ctx, id);
    if (hasBrowser(ticket) && !isShownHere) throw noAction();
    failure.back = urls.action(id);
    return { ...request, ticket, isShownHere };
  }

  #identify({ isShownHere, ...request }: ActionVisit): ActionPageRequest {
    if (!isShownHere) throw noAction();
    const { interaction, browser } = request.ticket;
    return { ...request, identity: { interaction, binding: browser.binding } };
  }
}

function noCookies(): QrLoginError {
  return new QrLoginError('no_interaction', 'This browser sent no cookies. Allow cookies, then open the page again.', {
    reason: 'no-cookies',
  });
}

/**
 * Returns the error for an action that is unknown, or ended long ago, or is shown in another browser: all look alike.
 */
export function noAction(): QrLoginError {
  return new QrLoginError('not_found', 'There is no such request here. Go back to the app and start again.', {
    reason: 'action',
  });
}
