import type { ErrorCode, ErrorReason } from '../../ticket/errors.ts';
import type { Pages } from './page-data.ts';

type ErrorPage = Pages['error'];

/** The links with which an error page can offer to continue. */
const BACK: Partial<ErrorPage> = { back: '#' };
const HOME: Partial<ErrorPage> = { home: 'https://app.example.com' };
const AGAIN: Partial<ErrorPage> = { again: '#' };
const SCAN: Partial<ErrorPage> = { scan: '#' };

/**
 * The errors that pages show, with their reasons and with the links that each page has. All other codes are sent to
 * apps only, as JSON.
 */
const SHOWN: readonly (readonly [ErrorCode, Partial<ErrorPage>, Partial<Record<ErrorReason, Partial<ErrorPage>>>?])[] =
  [
    ['not_found', SCAN, { action: {} }],
    ['over', SCAN, { expired: SCAN, renewed: SCAN, cancelled: SCAN, 'check-code': SCAN }],
    [
      'wrong_state',
      SCAN,
      {
        elsewhere: SCAN,
        approved: { ...BACK, ...SCAN },
        denied: { ...BACK, ...SCAN },
        redeemed: { ...BACK, ...SCAN },
      },
    ],
    ['not_signed_in', SCAN],
    ['account_unavailable', SCAN, { 'signed-out': BACK }],
    ['sign_in_again', SCAN],
    ['insufficient_acr', SCAN],
    ['wrong_account', SCAN],
    ['not_enrolled', SCAN],
    ['not_asked', BACK],
    ['proof_required', SCAN],
    ['wrong_proof', SCAN],
    ['foreign_origin', SCAN],
    ['invalid_csrf', SCAN],
    ['no_interaction', HOME, { 'no-cookies': {}, 'signed-in': HOME }],
    ['account_switch', BACK],
    ['check_code_required', BACK],
    ['wrong_check_code', BACK, { 'last-try': BACK }],
    ['too_many_requests', { ...AGAIN, ...SCAN, retryAfter: 17 }, { 'check-codes': { ...BACK, retryAfter: 86_400 } }],
    ['store_unavailable', AGAIN],
    ['hook_timeout', AGAIN],
    ['newer_record', AGAIN],
    ['server_error', AGAIN],
    ['method_not_allowed', {}],
    ['too_large', BACK],
    ['unsupported_media_type', BACK],
    ['invalid_request', BACK, { app: { details: { error: 'invalid_client', description: 'client is invalid' } } }],
  ];

/** Each error page by its code, and by its code and reason. */
export const ERRORS: Readonly<Record<string, ErrorPage>> = Object.fromEntries([
  ...SHOWN.flatMap(([code, ways, reasons = {}]) => [
    [code, { code, ...ways }] as const,
    ...Object.entries(reasons).map(
      ([reason, more]) => [`${code}: ${reason}`, { code, reason: reason as ErrorReason, ...more }] as const,
    ),
  ]),
  ['no_interaction, without a way on', { code: 'no_interaction' }],
  ['too_many_requests, for an hour', { code: 'too_many_requests', ...AGAIN, retryAfter: 3_600 }],
  ['a wrong setup', { code: 'no_interaction', setup: 'interactions.url of the provider is not qr.interactionUrl' }],
]);
