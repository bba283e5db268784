import type { Context } from 'koa';
import { ACTION_SCOPE, type ActionAccess, ActionTokens, readSubjectHint } from '../../oidc/actions/action-token.ts';
import { describeRequester } from '../../oidc/actions/requester.ts';
import { invalidToken } from '../../oidc/apps/app-challenge.ts';
import type { Provider } from '../../oidc/provider.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import type { ActionActs, ActionTicket } from '../../ticket/actions.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { Requirements } from '../../ticket/ticket.ts';
import { type RequestProofPorts, RequestProofs } from '../api/request-proofs.ts';
import { type JsonObject, readJson } from '../request/body.ts';
import type { Entry } from '../request/guard.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { AddressAct, RateLimits } from '../request/rate-limits.ts';
import { toSeconds } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { noAction } from './action-page-request.ts';
import { type ActionRequests, USUAL_S } from './action-requests.ts';
import type { ActionResults, ApprovalResult } from './action-results.ts';

/** A request of a client (RP) that asks for actions. */
export interface ClientRequest extends PluginRequest {
  readonly access: ActionAccess;
}

export interface ClientForm extends ClientRequest {
  readonly body: JsonObject;
}

/** Returns the account of the user that a client names by a `login_hint`; undefined if there is none. */
export type FindHintedAccount = (
  loginHint: string,
  clientId: string,
) => Promise<string | undefined> | string | undefined;

export interface ClientActionPorts extends RequestProofPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly actions: Pick<ActionActs, 'look' | 'newId'> };
  readonly actionRequests: ActionRequests;
  readonly actionResults: ActionResults;
  readonly urls: Urls;
  readonly clock: Clock;
  readonly limits: Pick<RateLimits, 'byAddress'>;
  readonly settings: {
    readonly actions: {
      readonly clients?: readonly string[] | undefined;
      readonly findAccount?: FindHintedAccount | undefined;
    };
  };
}

/** The longest wait for a result, in seconds. Most proxies give up on a request after 30. */
const LONGEST_WAIT_S = 25;

/**
 * Makes the entries of the routes for clients. They take an access token with the scope `qr_action`, as bearer or with
 * DPoP.
 */
export class ClientGuards {
  readonly #ports: ClientActionPorts;
  readonly #proofs: RequestProofs;
  readonly #tokens: ActionTokens;

  constructor(ports: ClientActionPorts) {
    this.#ports = ports;
    this.#tokens = new ActionTokens(ports.provider);
    this.#proofs = new RequestProofs(ports);
  }

  look(act: AddressAct): Entry<ClientRequest> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      request.failure.takesBearer = true;
      await count(request);
      return { ...request, access: await this.#identify(request.ctx) };
    };
  }

  form(act: AddressAct): Entry<ClientForm> {
    const count = this.#ports.limits.byAddress(act);
    return async (request) => {
      request.failure.takesBearer = true;
      await count(request);
      const body = await readJson(request.ctx);
      return { ...request, access: await this.#identify(request.ctx), body };
    };
  }

  async #identify(ctx: Context): Promise<ActionAccess> {
    const { settings } = this.#ports;
    const { scheme, token } = readToken(ctx);
    const proof = scheme === 'dpop' ? await this.#proofs.verify(ctx, token) : undefined;
    const access = await this.#tokens.find(token, proof?.keyId);
    if (proof !== undefined) await this.#proofs.useOnce(proof);
    const { clients } = settings.actions;
    if (clients === undefined || clients.includes(access.clientId)) return access;
    throw new QrLoginError('app_refused', 'This client may not ask for approvals here.');
  }
}

/** The requests of clients for actions. */
export class ClientActionHandlers {
  readonly #ports: ClientActionPorts;

  constructor(ports: ClientActionPorts) {
    this.#ports = ports;
  }

  /** `POST /qr/actions`: asks for an approval. */
  request = async ({ ctx, access, body }: ClientForm): Promise<void> => {
    const { provider, ceremony, actionRequests, urls, clock } = this.#ports;
    const { title, details, expiresIn, reference, returnTo, locales, ...named } = readBody(body);
    const { clientId } = access;
    const client = await describeRequester(provider, clientId);
    if (client === undefined) throw invalidToken('The client is not registered any more.');
    const returnUrl = returnTo === undefined ? undefined : await actionRequests.readReturnTo(clientId, returnTo);
    const draft = {
      client,
      requirements: await this.#findAccount(access, named),
      action: {
        title,
        details,
        ...(reference !== undefined && { reference }),
        ...(returnUrl !== undefined && { returnTo: returnUrl }),
      },
      expiresIn,
      locales,
    };
    const id = ceremony.actions.newId();
    const ticket = await actionRequests.create(id, draft);
    const url = urls.absolute(urls.action(id));
    ctx.status = 201;
    ctx.set('Location', `${url}/result`);
    ctx.body = { id, url, expires_in: toSeconds(ticket.deadline - clock()) };
  };

  /** `GET /qr/actions/:id/result`: the result, at once or after `?wait=` seconds at the latest. */
  result = async ({ ctx, access }: ClientRequest): Promise<void> => {
    const { ceremony, actionResults, clock } = this.#ports;
    const { id = '' } = ctx.params;
    const wait = readWait(ctx.query.wait);
    assertOwner(await ceremony.actions.look(id), access);
    const leaving = new AbortController();
    ctx.res.once('close', () => leaving.abort());
    const longest = ctx.method === 'HEAD' ? 0 : wait * 1000;
    const { ticket, hasEnded } = await actionResults.wait(id, longest, leaving.signal);
    if (!hasEnded && ticket !== undefined) {
      // The phone has approved, but the check code must still be typed in the browser.
      const state = ticket.state === 'approved' ? 'confirming' : ticket.state;
      ctx.body = { state, expires_in: toSeconds(ticket.deadline - clock()) };
      return;
    }
    const result = await actionResults.describe(ticket);
    ctx.body =
      result.outcome === 'approved'
        ? {
            state: 'approved',
            details_hash: result.detailsHash,
            ...(result.reference !== undefined && { reference: result.reference }),
            approved_at: result.approvedAt,
            ...(result.jwt !== undefined && { result: result.jwt }),
          }
        : { state: result.outcome, ...reasonOf(result) };
  };

  /** Returns the demand on the approver: the subject as the client knows it, or the account. */
  async #findAccount(
    { clientId, accountId }: ActionAccess,
    { sub, idTokenHint, loginHint }: NamedUser,
  ): Promise<Pick<Requirements, 'accountId' | 'subject'>> {
    const { provider, settings } = this.#ports;
    const hinted = loginHint === undefined ? undefined : await settings.actions.findAccount?.(loginHint, clientId);
    if (loginHint !== undefined && hinted === undefined)
      throw new QrLoginError('invalid_request', '"login_hint" names no account here. Send "sub" or "id_token_hint".');
    const subject = idTokenHint === undefined ? sub : await readSubjectHint(provider, clientId, idTokenHint);
    if (accountId === undefined) return hinted === undefined ? { subject: subject ?? '' } : { accountId: hinted };
    // The user has granted the token, so it serves for actions of that user alone.
    const own = await subjectOf(provider, clientId, accountId);
    if (hinted === undefined ? subject === own : hinted === accountId) return { accountId };
    throw new QrLoginError('invalid_request', 'The access token is for another user than the request names.');
  }
}

interface NamedUser {
  readonly sub: string | undefined;
  readonly idTokenHint: string | undefined;
  readonly loginHint: string | undefined;
}

interface RequestBody extends NamedUser {
  readonly title: string;
  readonly details: string;
  readonly expiresIn: number;
  readonly reference: string | undefined;
  readonly returnTo: string | undefined;
  readonly locales: readonly string[];
}

const MEMBERS =
  'Send "title", one of "sub", "id_token_hint" and "login_hint", and where needed "details", "reference", "return_to", ' +
  '"ui_locales" (texts) and "expires_in" (seconds).';

/** Reads the body. @throws QrLoginError `invalid_request` */
function readBody(body: JsonObject): RequestBody {
  const { title, details = '', expires_in: expiresIn = USUAL_S, reference, return_to: returnTo, ...more } = body;
  const { ui_locales: locales = '', sub, id_token_hint: idTokenHint, login_hint: loginHint, ...others } = more;
  const isRight =
    typeof title === 'string' &&
    typeof details === 'string' &&
    typeof expiresIn === 'number' &&
    typeof locales === 'string' &&
    isTextOrAbsent(reference) &&
    isTextOrAbsent(returnTo) &&
    isTextOrAbsent(sub) &&
    isTextOrAbsent(idTokenHint) &&
    isTextOrAbsent(loginHint) &&
    sub !== '' &&
    [sub, idTokenHint, loginHint].filter((one) => one !== undefined).length === 1 &&
    Object.keys(others).length === 0;
  if (!isRight) throw new QrLoginError('invalid_request', MEMBERS);
  const user = { sub, idTokenHint, loginHint };
  return { ...user, title, details, expiresIn, reference, returnTo, locales: locales.split(' ').filter(Boolean) };
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** Reads the longest wait, in seconds. @throws QrLoginError `invalid_request` */
function readWait(wait: unknown): number {
  if (wait === undefined) return 0;
  const seconds = typeof wait === 'string' && /^\d{1,2}$/.test(wait) ? Number(wait) : Number.NaN;
  if (seconds <= LONGEST_WAIT_S) return seconds;
  throw new QrLoginError('invalid_request', `"wait" is a whole number of seconds, at most ${LONGEST_WAIT_S}.`);
}

/** Ensures that this client has asked for the action. To another client the action looks unknown. */
function assertOwner(ticket: ActionTicket | undefined, { clientId }: ActionAccess): void {
  if (ticket?.request.client.id !== clientId) throw noAction();
}

/** Returns the reason of an end as the API writes it. */
function reasonOf(result: ApprovalResult): { readonly reason?: string } {
  if (!('because' in result) || result.because === undefined) return {};
  return { reason: result.because.replace(' ', '-') };
}

/** Reads the access token. @throws QrLoginError `invalid_token` */
function readToken(ctx: Context): { readonly scheme: 'bearer' | 'dpop'; readonly token: string } {
  const [, scheme = '', token = ''] = /^(\S+) +(\S+)$/.exec(ctx.get('authorization')) ?? [];
  const lower = scheme.toLowerCase();
  if (lower === 'bearer' || lower === 'dpop') return { scheme: lower, token };
  throw invalidToken('Send an access token with the scope qr_action: Authorization: Bearer <token>, or DPoP.', {
    parameters: { scope: ACTION_SCOPE },
    isBare: ctx.get('authorization') === '',
  });
}
