import { type Assure, approverOf, type Session, sessionOf } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { SessionApprover, Ticket } from '../../ticket/ticket.ts';
import { type Fields, readFields } from '../request/body.ts';
import type { Cookies } from '../request/cookies.ts';
import type { Entry, Guard } from '../request/guard.ts';
import { assertNotEmbedded, makeSameOriginGuard } from '../request/origin.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { AddressAct, RateLimits } from '../request/rate-limits.ts';
import { isolateWindow } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';

/** A request of the phone, with what the provider knows about it at this moment. */
export interface PhoneRequest extends PluginRequest {
  /** The account and session that the phone is signed in with; undefined if it is not signed in. */
  readonly approver: SessionApprover | undefined;
  /**
   * The ticket of the URL as it was read together with the session; undefined if there is none, and for a landing page.
   */
  readonly ticket: Ticket | undefined;
}

/** A POST of the phone, from a page of the provider. */
export interface PhoneForm extends PhoneRequest {
  readonly fields: Fields;
}

export interface PhoneRequestPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'idOf' | 'preview'> };
  readonly urls: Urls;
  readonly cookies: Pick<Cookies, 'signInId'>;
  readonly limits: Pick<RateLimits, 'byAddress'>;
  readonly settings: { readonly assurance: Assure };
}

/**
 * Makes the entries of the phone's routes. Reads that do not depend on each other run side by side, because each takes
 * a round trip to a store on another machine.
 */
export class PhoneGuards {
  readonly #ports: PhoneRequestPorts;
  readonly #sameOrigin: Guard;

  constructor(ports: PhoneRequestPorts) {
    this.#ports = ports;
    this.#sameOrigin = makeSameOriginGuard(ports.urls);
  }

  /**
   * Makes the entry for a GET that may wait for a change (`?after=`). A request that may wait counts as `watch`.
   * @param act the act that other requests count as
   */
  lookOrWatch(act: AddressAct): Entry<PhoneRequest> {
    const [look, watch] = [this.look(act), this.look('watch')];
    return (request) => (request.ctx.query.after === undefined ? look(request) : watch(request));
  }

  /**
   * Makes the entry for a GET.
   * @param check a guard that runs after the request is counted, and before the reads are awaited, because those may
   * fail
   */
  look(act: AddressAct, check?: Guard): Entry<PhoneRequest> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      request.failure.scan = this.#ports.urls.scan;
      isolateWindow(request.ctx);
      assertNotEmbedded(request);
      const counted = markAsHandled(count(request));
      const read = markAsHandled(this.#read(request));
      await counted;
      await check?.(request);
      return { ...request, ...(await this.#identify(request, await read)) };
    };
  }

  /**
   * Makes the entry for a POST. A request from another site is refused before it is counted, or it would use up the
   * user's limit.
   * @param check as for `look`
   */
  form(act: AddressAct, check?: Guard): Entry<PhoneForm> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      request.failure.scan = this.#ports.urls.scan;
      isolateWindow(request.ctx);
      await this.#sameOrigin(request);
      const counted = markAsHandled(count(request));
      // Read the session after the body has arrived: a slow body could outlast the session.
      const body = markAsHandled(readFields(request.ctx));
      const read = markAsHandled(body.then(() => this.#read(request)));
      await counted;
      const fields = await body;
      await check?.(request);
      return { ...request, fields, ...(await this.#identify(request, await read)) };
    };
  }

  async #read({ ctx }: PluginRequest): Promise<SessionAndTicket> {
    const { provider, ceremony } = this.#ports;
    const { id }: Partial<Record<string, string>> = ctx.params;
    // A GET of the landing page needs no ticket, because the page shows nothing of it.
    const ticketId = id ?? (ctx.method === 'POST' ? ceremony.phone.idOf(codeIn(ctx)) : undefined);
    const [session, ticket] = await Promise.all([
      sessionOf(provider, ctx),
      ticketId === undefined ? undefined : ceremony.phone.preview(ticketId),
    ]);
    return { session, ticket };
  }

  async #identify(
    { ctx }: PluginRequest,
    { session, ticket }: SessionAndTicket,
  ): Promise<Omit<PhoneRequest, keyof PluginRequest>> {
    const { cookies, settings } = this.#ports;
    return { approver: await approverOf(session, settings.assurance, (uid) => cookies.signInId(ctx, uid)), ticket };
  }
}

/** Returns the code in the URL. Some scanners append a space or a line break to what they read. */
export function codeIn({ params }: PluginRequest['ctx']): string {
  return (params.code ?? '').trimEnd();
}

interface SessionAndTicket {
  readonly session: Session | undefined;
  readonly ticket: Ticket | undefined;
}

/**
 * Marks a promise as handled: if a guard throws before it is awaited, its rejection must not become an unhandled one.
 */
function markAsHandled<T>(work: T | Promise<T>): Promise<T> {
  const promise = Promise.resolve(work);
  promise.catch(() => undefined);
  return promise;
}
