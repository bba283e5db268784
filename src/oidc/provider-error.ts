import { type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { ErrorCode, ErrorReason } from '../ticket/errors.ts';
import { words } from './request/parameters.ts';

/** An error that oidc-provider shows to the user, because it cannot or must not send it to the app. */
export interface ProviderError {
  readonly code: ErrorCode;
  readonly reason?: ErrorReason;
  /**
   * The error and its description (RFC 6749, section 4.1.2.1), for the developers of the app. Absent if the server is
   * the cause.
   */
  readonly details?: { readonly error: string; readonly description?: string };
  /** The languages that the app asked for (OIDC Core, section 3.1.2.1). */
  readonly locales: readonly string[];
}

/** Converts the error that oidc-provider passes to `renderError` into a `ProviderError`. */
export function readProviderError(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): ProviderError {
  // The request may have failed before oidc-provider made `ctx.oidc`, or before it read the parameters.
  const { params } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {};
  const locales = words(params?.ui_locales);
  if (ctx.status === 503) return { code: 'store_unavailable', locales };
  if (ctx.status >= 500) return { code: 'server_error', locales };
  const { error: name, error_description: description } = out;
  const details = { error: name, ...(description !== undefined && { description }) };
  if (error instanceof errors.SessionNotFound) return { code: 'no_interaction', details, locales };
  return { code: 'invalid_request', reason: 'app', details, locales };
}
