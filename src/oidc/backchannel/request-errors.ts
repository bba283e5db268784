/** The errors of authentication requests without a browser, for their clients (CIBA Core 1.0, section 13). */
import { errors } from 'oidc-provider';
import type { ErrorCode, QrLoginError } from '../../ticket/errors.ts';

type ProviderError = InstanceType<typeof errors.OIDCProviderError>;

/** Returns one error for all reasons, so that a client does not learn which accounts exist but cannot be used. */
export function unknownUser(): ProviderError {
  return new errors.UnknownUserId('could not identify end-user');
}

export function missingUserCode(): ProviderError {
  return new errors.MissingUserCode('the end-user has a user code, which the request must have');
}

export function invalidUserCode(): ProviderError {
  return new errors.InvalidUserCode('the user code is wrong');
}

export function invalidBindingMessage(why: string): ProviderError {
  return new errors.InvalidBindingMessage(why);
}

export function unshowableRequest(why: string): ProviderError {
  return new errors.InvalidRequest(why);
}

/**
 * Returns the error for a user who is not asked. The client does not learn the reason: it must not be told that its user
 * has reported it. Section 13 gives this error status 403, unlike the answer at the token endpoint.
 * @param reason for the operator, in the event `backchannel_authentication.error`
 */
export function userNotAsked(reason: string): ProviderError {
  return withStatus(new errors.AccessDenied('the user cannot be asked now', reason), 403);
}

/**
 * Returns a refusal of this package as oidc-provider answers it. The codes are those of RFC 6749, section 4.1.2.1, as the
 * CIBA specification has none for trouble of the provider.
 */
export function refusedRequest(refusal: QrLoginError): unknown {
  const status = STATUS[refusal.code];
  if (status === undefined) return refusal;
  return withStatus(new errors.TemporarilyUnavailable(refusal.message), status);
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  too_many_requests: 429,
  store_unavailable: 503,
  hook_timeout: 503,
  newer_record: 503,
};

/** oidc-provider hides the description of an error that is not exposed. */
function withStatus(error: ProviderError, status: number): ProviderError {
  return Object.assign(error, { status, statusCode: status, expose: true });
}
