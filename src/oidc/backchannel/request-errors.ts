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
 * Returns the error for a user who is not asked. The client does not learn the reason, because a client that the user
 * has reported must not learn of the report. Section 13 gives this error the status 403 here, although the token
 * endpoint answers it with 400.
 * @param reason for the operator, in the event `backchannel_authentication.error`
 */
export function userNotAsked(reason: string): ProviderError {
  return withStatus(new errors.AccessDenied('the user cannot be asked now', reason), 403);
}

/**
 * Converts an error of this package to one that oidc-provider answers. Its code is from RFC 6749, section 4.1.2.1,
 * because the CIBA specification has no code for faults of the provider.
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
