import { errors, type Provider } from 'oidc-provider';
import type { AuthenticatedUser, Consent, DeniedTicket } from '../../ticket/ticket.ts';
import { APPROVED_ON_A_PHONE } from '../approved-on-phone.ts';
import { addToGrant } from '../consent.ts';
import { findClient } from '../session-clients.ts';
import { refusalFor } from '../sign-in.ts';
import type { AuthenticationRequest } from './authentication-request.ts';

/** The answer to a client's request: the one that is given now, or the one that the request has got before. */
export interface GivenAnswer {
  /** The grant that the client got; undefined if it got none. */
  readonly grantId: string | undefined;
  /**
   * The error of a notification that the client did not accept (CIBA Core 1.0, section 10.2). The client can still get
   * the answer by polling.
   */
  readonly unnotified?: unknown;
}

/** An approval, with what it grants. */
export interface Approval {
  readonly user: AuthenticatedUser;
  readonly clientId: string;
  readonly consent: Consent;
}

/**
 * Grants a client what its user has approved, and notifies the client in the ping mode. The grant is a new one, so that
 * it can be taken back without what the client had before. If the request has an answer already, this changes nothing:
 * storing a second answer would bring back a request whose tokens the client has fetched.
 * @returns undefined if the request has expired, or if its client is not registered any more
 */
export async function grantRequest(
  provider: Provider,
  authReqId: string,
  { user, clientId, consent }: Approval,
): Promise<GivenAnswer | undefined> {
  const request = await findRequest(provider, authReqId);
  if (request === undefined || hasAnswer(request)) return request && { grantId: request.grantId };
  if (await isUnregistered(provider, request)) return undefined;
  const { accountId, acr, amr = [], authenticatedAt: authTime } = user;
  const grantId = await addToGrant(provider, { accountId, clientId, grantId: undefined }, consent);
  const reached = {
    ...(acr !== undefined && { acr }),
    amr: [...new Set([...amr, ...APPROVED_ON_A_PHONE])],
    authTime,
  };
  return answer(provider, authReqId, () => provider.backchannelResult(request, grantId, reached), grantId);
}

/**
 * Tells a client that its user has not approved (CIBA Core 1.0, section 11), and notifies it in the ping mode.
 * @returns undefined if the request has expired, or if its client is not registered any more
 */
export async function denyRequest(
  provider: Provider,
  authReqId: string,
  because: DeniedTicket['because'],
): Promise<GivenAnswer | undefined> {
  const request = await findRequest(provider, authReqId);
  if (request === undefined || hasAnswer(request)) return request && { grantId: request.grantId };
  if (await isUnregistered(provider, request)) return undefined;
  const { error_description: errorDescription } = refusalFor(because);
  // oidc-provider itself keeps the code of the error alone.
  Object.assign(request, { errorDescription });
  const error = new errors.AccessDenied(errorDescription);
  return answer(provider, authReqId, () => provider.backchannelResult(request, error), undefined);
}

/** Returns the answer that a request has had, also after its end; undefined if it has none, or is gone. */
export async function findAnswer(provider: Provider, authReqId: string): Promise<GivenAnswer | undefined> {
  const request = await provider.BackchannelAuthenticationRequest.find(authReqId, { ignoreExpiration: true });
  return request !== undefined && hasAnswer(request) ? { grantId: request.grantId } : undefined;
}

async function findRequest(provider: Provider, authReqId: string): Promise<AuthenticationRequest | undefined> {
  const request = await provider.BackchannelAuthenticationRequest.find(authReqId, { ignoreExpiration: true });
  return request === undefined || request.isExpired ? undefined : request;
}

/** Returns true if the client has been removed since it has asked: oidc-provider can give it no answer. */
async function isUnregistered(provider: Provider, { clientId = '' }: AuthenticationRequest): Promise<boolean> {
  return (await findClient(provider, clientId)) === undefined;
}

function hasAnswer({ grantId, error, consumed }: Partial<AuthenticationRequest>): boolean {
  return grantId !== undefined || error !== undefined || Boolean(consumed);
}

/** Gives an answer. It is stored before the client is notified, so it is valid even if the notification fails. */
async function answer(
  provider: Provider,
  authReqId: string,
  give: () => Promise<void>,
  grantId: string | undefined,
): Promise<GivenAnswer> {
  try {
    await give();
    return { grantId };
  } catch (error) {
    const request = await findRequest(provider, authReqId);
    if (request === undefined || !hasAnswer(request)) throw error;
    return { grantId, unnotified: error };
  }
}
