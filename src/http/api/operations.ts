import type { ErrorCode } from '../../ticket/errors.ts';
import {
  ACTION_ANSWER,
  ACTION_BODY,
  BROWSER_BODY,
  BROWSERS_ANSWER,
  DECISION_BODY,
  DOCUMENT_ANSWER,
  ERROR_ANSWER,
  NO_BODY,
  REQUESTS_ANSWER,
  RESULT_ANSWER,
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
  /** The codes of its refusals. `http/errors.ts` has their statuses. */
  readonly refusals: readonly ErrorCode[];
  /** True if it takes no token. */
  readonly isPublic?: boolean;
  /** True if it is sent by a client with a token of the scope `qr_action`, and not by an app. */
  readonly isForClients?: boolean;
}

/** The refusals of each request with a token. */
const USUAL: Operation['refusals'] = [
  'invalid_token',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'insufficient_scope',
  'account_unavailable',
  'app_refused',
  'foreign_origin',
  'too_many_requests',
  'server_error',
  'store_unavailable',
  'hook_timeout',
  'newer_record',
];

/** The refusals of each request with a body. */
const BODY: Operation['refusals'] = ['invalid_request', 'too_large', 'unsupported_media_type'];

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
  refusals: [...USUAL, ...BODY, 'not_found', 'wrong_state', 'over'],
};

export const SHOW_TICKET: Operation = {
  id: 'getTicket',
  summary: 'See what is asked, and what the browser does',
  description:
    'Answers at once, or with `after` when the ticket has a newer version, at the latest after 25 seconds. With `Accept: ' +
    'text/event-stream` it sends the ticket as events named `ticket`, and a `heartbeat` every 15 seconds, for a minute.',
  query: { after: { description: 'The version that the app knows.', schema: { type: 'integer', minimum: 0 } } },
  answers: { 200: { description: 'The ticket.', schema: TICKET_ANSWER, streams: true } },
  refusals: [...USUAL, 'invalid_request', 'not_found', 'wrong_state', 'over'],
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
  refusals: [
    ...USUAL,
    ...BODY,
    'proof_required',
    'insufficient_user_authentication',
    'wrong_account',
    'not_enrolled',
    'wrong_proof',
    'not_found',
    'wrong_state',
    'over',
  ],
};

export const LIST_REQUESTS: Operation = {
  id: 'listRequests',
  summary: 'List the requests that wait',
  description:
    'Lists the requests that clients have sent without a browser (OpenID Connect CIBA Core), and that wait for the ' +
    'decision of the account. No push notification is needed to find one.',
  answers: { 200: { description: 'The requests.', schema: REQUESTS_ANSWER } },
  refusals: USUAL,
};

export const OPEN_REQUEST: Operation = {
  id: 'openRequest',
  summary: 'Open a request that waits',
  description:
    'Takes the place of a scan, and has the same answer. Another device of the account may open it after that, until one ' +
    'has decided.',
  body: NO_BODY,
  answers: {
    200: { description: 'The app had opened it before.', schema: TICKET_ANSWER, hasLocation: true },
    201: { description: 'The app has opened it.', schema: TICKET_ANSWER, hasLocation: true },
  },
  refusals: [...USUAL, ...BODY, 'not_found', 'wrong_state', 'over'],
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
    'The session ends when `duration` has passed after the change, and no later than the provider allows. `session`: ' +
    'from its next visit on, the browser is signed in until it is closed. 403 sign_in_again: the app was itself signed ' +
    'in by QR.',
  body: BROWSER_BODY,
  answers: { 204: { description: 'It is changed.' } },
  refusals: [...USUAL, ...BODY, 'sign_in_again', 'not_found'],
};

export const END_BROWSER: Operation = {
  id: 'signOutBrowser',
  summary: 'Sign a browser out',
  description: 'Ends its session, the trust in it, and everything that was granted in the session.',
  answers: { 204: { description: 'It is signed out.' } },
  refusals: [...USUAL, 'not_found'],
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

/** The refusals of each request of a client. */
const USUAL_OF_CLIENTS: Operation['refusals'] = USUAL.filter(
  (code) => code !== 'account_unavailable' && code !== 'foreign_origin',
);

export const REQUEST_ACTION: Operation = {
  id: 'requestAction',
  summary: 'Ask a user to approve an action',
  description:
    'Names the user as CIBA does (OpenID Connect CIBA Core, section 7.1), by `sub`, `id_token_hint` or `login_hint`. Send ' +
    'the browser to `url`, which shows the QR code; a phone shows a button there instead. Location is the URL of the result.',
  body: ACTION_BODY,
  answers: { 201: { description: 'The action waits for its approval.', schema: ACTION_ANSWER, hasLocation: true } },
  refusals: [...USUAL_OF_CLIENTS, ...BODY],
  isForClients: true,
};

export const ACTION_RESULT: Operation = {
  id: 'getActionResult',
  summary: 'Get the result of an action',
  description:
    'Answers at once, or, with `wait`, when the action has ended, but after at most that many seconds. The result is ' +
    'kept for 10 minutes after the action would have expired; an action that expired without a result is not found.',
  query: {
    wait: { description: 'Seconds.', schema: { type: 'integer', minimum: 0, maximum: 25 } },
  },
  answers: { 200: { description: 'The state.', schema: RESULT_ANSWER } },
  refusals: [...USUAL_OF_CLIENTS, 'invalid_request', 'not_found'],
  isForClients: true,
};

export const DESCRIBE: Operation = {
  id: 'getDescription',
  summary: 'Get this description',
  description: 'Takes no token.',
  answers: { 200: { description: 'This document.', schema: DOCUMENT_ANSWER } },
  refusals: ['method_not_allowed'],
  isPublic: true,
};

export const REFUSAL_SCHEMA: Schema = ERROR_ANSWER;
