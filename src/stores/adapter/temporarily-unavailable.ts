import { errors } from 'oidc-provider';
import type { QrLoginError } from '../../ticket/errors.ts';

/** The error that oidc-provider shows to clients and users if the store is unavailable (RFC 6749, section 4.1.2.1). */
export class TemporarilyUnavailable extends errors.OIDCProviderError {
  override readonly error_description = 'the store is out of reach, try again in a moment';
  /** False: the browser shows the error, so that the user can try again. A redirect to the RP would end the request. */
  override readonly allow_redirect = false;
  /** True: otherwise the answer would be the generic `server_error`. */
  override readonly expose = true;

  constructor(cause: QrLoginError) {
    super(503, 'temporarily_unavailable', { cause });
  }
}
