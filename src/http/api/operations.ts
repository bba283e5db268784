import {
  BROWSER_BODY,
  BROWSERS_ANSWER,
  DECISION_BODY,
  DOCUMENT_ANSWER,
  ERROR_ANSWER,
  SCAN_BODY,
  type Schema,
  TICKET_ANSWER,
} from './schemas.ts';

/** An answer without an error. */
interface Answer {
  readonly description: string;
  /** Undefined for an answer without a body. */
  readonly schema?: Schema;
  /** True if the answer may also be a stream of such bodies. */
  readonly streams?: boolean;
  /** True if the answer names the URL of the new ticket. */
  readonly hasLocation?: boolean;
}

/** The description of an operation, without its path and method, which `routes.ts` has. */
export interface Operation {
  /** The name of the operation, for generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly body?: Schema;
  /** The query parameters, by their names. */
  readonly query?: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** The statuses of its refusals, with the codes of the errors. */
  readonly refusals: Readonly<Record<number, string>>;
  /** True if it takes no token. */
  readonly isPublic?: boolean;
}

/** The refusals of each request with a token. */
const USUAL: Operation['refusals'] = {
  401: 'invalid_token, invalid_dpop_proof, use_dpop_nonce',
  403: 'insufficient_scope, account_unavailable, app_refused, foreign_origin',
  429: 'too_many_requests',
  500: 'server_error',
  503: 'store_unavailable, hook_timeout, newer_record',
};

const BODY: Operation['refusals'] = { 413: 'too_large', 415: 'unsupported_media_type' };

export const SCAN: Operation = {
  id: 'scan',
  summary: 'Claim the ticket of a code',
  description:
    'Locks the ticket to the account, the app and the key of the token. The same app may repeat it: if the answer was ' +
    'lost, the next one is 200.',
  body: SCAN_BODY,
  answers: {
    200: { description: 'The app had scanned it before.', schema: TICKET_ANSWER, hasLocation: true },
    201: { description: 'The app has claimed it.', schema: TICKET_ANSWER, hasLocation: true },
  },
  refusals: { ...USUAL, ...BODY, 400: 'invalid_request', 404: 'not_found', 409: 'wrong_state', 410: 'over' },
};

export const SHOW_TICKET: Operation = {
  id: 'getTicket',
  summary: 'See what is asked, and what the browser does',
  description:
    'Answers at once, or with `after` when the ticket has a newer version, at the latest after 25 seconds. With `Accept: ' +
    'text/event-stream` it sends the ticket as events named `ticket`, and a `heartbeat` every 15 seconds, for a minute.',
  query: { after: { description: 'The version that the app knows.', schema: { type: 'integer', minimum: 0 } } },
  answers: { 200: { description: 'The ticket.', schema: TICKET_ANSWER, streams: true } },
  refusals: { ...USUAL, 400: 'invalid_request', 404: 'not_found', 409: 'wrong_state', 410: 'over' },
};

export const DECIDE: Operation = {
  id: 'decide',
  summary: 'Approve, deny, report or give up',
  description:
    'May be repeated: the same decision has the same answer. 401 insufficient_user_authentication names the sign-in that ' +
    'the app needs first (RFC 9470).',
  body: DECISION_BODY,
  answers: {
    200: { description: 'The ticket after the decision.', schema: TICKET_ANSWER },
    204: { description: 'The report ended a sign-in whose ticket is gone.' },
  },
  refusals: {
    ...USUAL,
    ...BODY,
    400: 'invalid_request, proof_required',
    401: `${USUAL[401]}, insufficient_user_authentication`,
    403: `${USUAL[403]}, wrong_account, not_enrolled, wrong_proof`,
    404: 'not_found',
    409: 'wrong_state',
    410: 'over',
  },
};

export const LIST_BROWSERS: Operation = {
  id: 'listBrowsers',
  summary: 'List the signed-in browsers',
  description: 'Lists the browsers that the account is signed in to: by QR, with a password or with a passkey.',
  answers: { 200: { description: 'The browsers.', schema: BROWSERS_ANSWER } },
  refusals: USUAL,
};

export const CHANGE_BROWSER: Operation = {
  id: 'changeBrowser',
  summary: 'Change how long a browser stays signed in',
  description:
    'Its session ends this long after the change, and no later than the provider allows. `session`: when the browser is ' +
    'closed, from its next visit on. 403 sign_in_again: the app was itself signed in by QR.',
  body: BROWSER_BODY,
  answers: { 204: { description: 'It is changed.' } },
  refusals: {
    ...USUAL,
    ...BODY,
    400: 'invalid_request',
    403: `${USUAL[403]}, sign_in_again`,
    404: 'not_found',
  },
};

export const END_BROWSER: Operation = {
  id: 'signOutBrowser',
  summary: 'Sign a browser out',
  description: 'Ends its session, the trust in it, and everything that was granted in the session.',
  answers: { 204: { description: 'It is signed out.' } },
  refusals: { ...USUAL, 404: 'not_found' },
};

export const END_BROWSERS: Operation = {
  id: 'signOutBrowsers',
  summary: 'Sign all browsers out',
  description:
    'Signs all browsers out, ends the trust in all, and takes back approvals that are not finished. The session in ' +
    'which the app was granted its access stays, unless that was itself signed in by QR.',
  answers: { 204: { description: 'All are signed out.' } },
  refusals: USUAL,
};

export const DESCRIBE: Operation = {
  id: 'getDescription',
  summary: 'Get this description',
  description: 'Takes no token.',
  answers: { 200: { description: 'This document.', schema: DOCUMENT_ANSWER } },
  refusals: { 405: 'method_not_allowed' },
  isPublic: true,
};

export const REFUSAL_SCHEMA: Schema = ERROR_ANSWER;
