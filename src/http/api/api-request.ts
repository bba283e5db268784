import type { Context } from 'koa';
import { type Assure, describeAuthentication } from '../../oidc/approver.ts';
import { APP_SCOPE, invalidToken } from '../../oidc/apps/app-challenge.ts';
import { type App, type AppAccess, AppTokens } from '../../oidc/apps/app-token.ts';
import type { Provider } from '../../oidc/provider.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { GrantApprover, Ticket } from '../../ticket/ticket.ts';
import type { AssureApp } from '../hooks/app-hooks.ts';
import { type JsonObject, readJson } from '../request/body.ts';
import type { Entry } from '../request/guard.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { AddressAct, RateLimits } from '../request/rate-limits.ts';
import type { AppGrants } from './app-grants.ts';
import { allowOrigin, assertOwnOrigin } from './cors.ts';
import { type RequestProofPorts, RequestProofs } from './request-proofs.ts';

/** A request of an app, with what the provider knows about it at this moment. */
export interface ApiRequest extends PluginRequest {
  readonly approver: GrantApprover;
  readonly app: App;
  /** The end of the access token, in milliseconds since the epoch. */
  readonly endsAt: number;
  /** The ticket of the URL or of the code, as it was read together with the token; undefined if there is none. */
  readonly ticket: Ticket | undefined;
}

/** A POST of an app. */
export interface ApiForm extends ApiRequest {
  readonly body: JsonObject;
}

export interface ApiRequestPorts extends RequestProofPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'preview'> };
  readonly limits: Pick<RateLimits, 'byAddress'>;
  readonly appGrants: Pick<AppGrants, 'note'>;
  readonly settings: {
    readonly assurance: Assure;
    readonly assureApp: AssureApp;
    readonly apps: { readonly clients?: readonly string[] | undefined };
  };
}

/**
 * Makes the entries of the app's routes. They take an access token with the scope `qr_login` that is bound to a key by
 * DPoP (RFC 9449). No CSRF token is needed: no cookie is read, so another site has nothing that it could misuse.
 */
export class ApiGuards {
  readonly #ports: ApiRequestPorts;
  readonly #tokens: AppTokens;
  readonly #proofs: RequestProofs;

  constructor(ports: ApiRequestPorts) {
    this.#ports = ports;
    this.#tokens = new AppTokens(ports.provider);
    this.#proofs = new RequestProofs(ports);
  }

  /** Makes the entry for a request without a body. */
  look(act: AddressAct): Entry<ApiRequest> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      allowOrigin(request.ctx);
      await count(request);
      return this.#identify(request);
    };
  }

  /**
   * Makes the entry for a POST.
   * @param ticketIdIn returns the id of the ticket that the body is about; by default, only the URL can name a ticket
   */
  form(act: AddressAct, ticketIdIn: (body: JsonObject) => string | undefined = () => undefined): Entry<ApiForm> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      allowOrigin(request.ctx);
      await count(request);
      // Check the token after the body has arrived: a slow body could take longer than the token is valid.
      const body = await readJson(request.ctx);
      return { ...(await this.#identify(request, ticketIdIn(body))), body };
    };
  }

  async #identify(request: PluginRequest, ticketId?: string): Promise<ApiRequest> {
    const { ceremony, appGrants, urls, settings } = this.#ports;
    const { ctx, failure } = request;
    const accessToken = readToken(ctx);
    const proof = await this.#proofs.verify(ctx, accessToken);
    const { id = ticketId }: Partial<Record<string, string>> = ctx.params;
    const [access, ticket] = await Promise.all([
      this.#tokens.find(accessToken, proof.keyId),
      id === undefined ? undefined : ceremony.phone.preview(id),
    ]);
    const { app, grant, authentication, endsAt } = access;
    failure.accountId = authentication.accountId;
    assertOwnOrigin(ctx, app, urls.origin);
    // Note the proof last, so that only holders of a valid token take up room in the store.
    await this.#proofs.useOnce(proof);
    await this.#assertAllowed(ctx, access);
    const approver = { ...(await describeAuthentication(authentication, settings.assurance)), grant };
    appGrants.note(approver);
    return { ...request, approver, app, endsAt, ticket };
  }

  /** Ensures that the deployment lets this app approve. @throws QrLoginError `app_refused` */
  async #assertAllowed(ctx: Context, { app, authentication, grant }: AppAccess): Promise<void> {
    const { apps, assureApp } = this.#ports.settings;
    const isListed = apps.clients === undefined || apps.clients.includes(app.id);
    const { accountId } = authentication;
    if (isListed && (await assureApp(ctx, { clientId: app.id, keyId: grant.keyId, accountId }))) return;
    throw new QrLoginError('app_refused', 'This app may not approve sign-ins here.');
  }
}

/** Reads the access token. @throws QrLoginError `invalid_token` if there is none, or if it was sent without DPoP */
function readToken(ctx: Context): string {
  const [, scheme = '', token = ''] = /^(\S+) +(\S+)$/.exec(ctx.get('authorization')) ?? [];
  if (scheme.toLowerCase() === 'dpop') return token;
  if (ctx.get('authorization') === '')
    throw invalidToken('Send an access token: Authorization: DPoP <token> (RFC 9449, section 7.1).', {
      parameters: { scope: APP_SCOPE },
      isBare: true,
    });
  throw invalidToken('The access token must be bound to a key: Authorization: DPoP <token>, not Bearer.');
}
