/** Generates requests to every URL of the plugin, with faults in any part of a request. */
import fc, { type Arbitrary } from 'fast-check';
import type { Route } from './routes.ts';
import { applyChange, type Change, changes, texts } from './values.ts';

/** The secret values of a sender in the middle of a sign-in. */
export interface Secrets {
  readonly uid: string;
  readonly code: string;
  readonly id: string;
  readonly csrf: string;
  /** The id of an action that the sender's browser shows. */
  readonly action: string;
  /** The id of a ticket that the sender's app has scanned. */
  readonly appTicket: string;
  /** The id of a browser on the list of the sender's account. */
  readonly browser: string;
  readonly browserCookies: Readonly<Record<string, string>>;
  readonly phoneCookies: Readonly<Record<string, string>>;
  readonly actionCookies: Readonly<Record<string, string>>;
}

type SecretName = 'uid' | 'code' | 'id' | 'csrf' | 'action' | 'appTicket' | 'browser';

/** A value for a field: a secret of the sender or of the bystander, a changed one, or any text. */
export type Value =
  | { readonly owner: 'mine' | 'theirs'; readonly what: SecretName; readonly change?: Change }
  | { readonly text: string };

type Field = readonly [string, Value];

type Body =
  | { readonly as: 'nothing' }
  | { readonly as: 'form' | 'json'; readonly fields: readonly Field[] }
  | { readonly as: string; readonly text: string };

/** A request that the fuzzer sends. */
export interface FuzzRequest {
  readonly route: Route;
  readonly method: string;
  readonly segment: Value;
  /** True if the path is percent-encoded, as it should be. */
  readonly isEncoded: boolean;
  readonly query: readonly (readonly [string, string])[];
  readonly cookies: { readonly owner: 'none' | 'mine' | 'theirs'; readonly which: number; readonly change: Change };
  readonly moreCookies: readonly (readonly [string, string])[];
  /** The access token, for a route that takes one. A token of the bystander is stolen: see `credentials.ts`. */
  readonly authorization: { readonly owner: 'none' | 'mine' | 'theirs'; readonly change: Change };
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Body;
}

const named = fc.constantFrom<SecretName>('uid', 'code', 'id', 'csrf', 'action', 'appTicket', 'browser');
const owner = fc.constantFrom('mine' as const, 'theirs' as const);
const values = (usual: Arbitrary<SecretName>): Arbitrary<Value> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.record({ owner: fc.constant('mine' as const), what: usual }) },
    { weight: 2, arbitrary: fc.record({ owner, what: usual }) },
    { weight: 3, arbitrary: fc.record({ owner, what: usual, change: changes }) },
    { weight: 1, arbitrary: fc.record({ owner, what: named }) },
    { weight: 3, arbitrary: texts.map((text) => ({ text })) },
  );

const FIELDS = [
  'csrf',
  'decision',
  'remember',
  'checkCode',
  'switchAccount',
  'proof',
  'version',
  'key',
  'signature',
  'forget',
  'duration',
  'browser',
  'enrol',
  'code',
  'passkey',
  'credential',
  'skip',
  ...['shortCode', 'actions', 'signature', 'end', 'name', 'stay'],
  ...['title', 'details', 'sub', 'login_hint', 'id_token_hint', 'return_to', 'reference', 'ui_locales'],
];
const SENSIBLE = ['approve', 'deny', 'report', 'unable', 'yes', '123456', '1', '{"id":"x","response":{}}'];

const field: Arbitrary<Field> = fc.tuple(
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...FIELDS) }, fc.constantFrom('__proto__', 'accountId'), texts),
  fc.oneof(
    values(fc.constant('csrf')),
    fc.constantFrom(...SENSIBLE).map((text) => ({ text })),
  ),
);
/** Returns the fields that a right request to this route has. The API takes no others. */
function goodFieldsOf({ path, tokenOf }: Route): readonly Field[] {
  if (tokenOf === undefined) return [['csrf', { owner: 'mine', what: 'csrf' }]];
  if (path === '/qr/actions')
    return [
      ['title', { text: 'Pay' }],
      ['sub', { text: 'a11ce' }],
    ];
  if (path === '/qr/api/scans') return [['code', { owner: 'mine', what: 'code' }]];
  return path.endsWith('/decision') ? [['decision', { text: 'approve' }]] : [];
}

function bodiesOf(route: Route): Arbitrary<Body> {
  const fields = fc
    .tuple(fc.boolean(), rarely(field, 6))
    .map(([isGood, more]) => (isGood ? [...goodFieldsOf(route), ...more] : more));
  return fc.oneof(
    fc.constant({ as: 'nothing' }),
    { weight: 3, arbitrary: fields.map((given) => ({ as: 'form' as const, fields: given })) },
    { weight: 3, arbitrary: fields.map((given) => ({ as: 'json' as const, fields: given })) },
    fc.record({
      as: fc.constantFrom(
        'application/json',
        'application/x-www-form-urlencoded',
        'text/plain',
        'multipart/form-data',
        ';',
      ),
      text: fc.oneof(texts, fc.json()),
    }),
  );
}

const HEADERS = [
  ...['accept', 'accept-language', 'accept-encoding', 'user-agent', 'origin', 'sec-fetch-site', 'referer', 'host'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-real-ip', 'via', 'authorization'],
  ...['if-none-match', 'if-modified-since', 'range', 'content-encoding', 'content-type', 'x-http-method-override'],
  ...['last-event-id', 'upgrade', 'te', 'cookie', 'x-request-id', 'dpop', 'access-control-request-method'],
];

const accept = fc.constantFrom('text/html', 'application/json', '*/*', 'text/event-stream');

function usualIn({ path }: Route): SecretName {
  if (path.includes(':uid')) return 'uid';
  if (path.startsWith('/qr/actions/')) return 'action';
  if (path.startsWith('/qr/api/tickets/')) return 'appTicket';
  if (path.includes(':browser')) return 'browser';
  return path.includes(':code') ? 'code' : 'id';
}

/** Yields an empty list more often than not, because a server refuses a request early if everything in it is wrong. */
const rarely = <T>(of: Arbitrary<T>, most: number): Arbitrary<T[]> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant<T[]>([]) }, { weight: 2, arbitrary: fc.array(of, { maxLength: most }) });

/** Yields mostly printable ASCII for a header, because Node refuses control characters before our code gets them. */
const inHeader = fc.oneof(
  { weight: 4, arbitrary: texts.map((text) => text.replace(/[^\x20-\x7e]/g, '?')) },
  { weight: 1, arbitrary: texts },
);

const anythingTo = (route: Route): Arbitrary<FuzzRequest> =>
  fc.record({
    route: fc.constant(route),
    method: fc.oneof(
      { weight: 20, arbitrary: fc.constant(route.method as string) },
      fc.constantFrom('HEAD', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'QZ'),
    ),
    segment: values(fc.constant(usualIn(route))),
    isEncoded: fc.nat({ max: 9 }).map((one) => one > 0),
    query: rarely(
      fc.tuple(fc.oneof(fc.constantFrom('after', 'tried', 'v', 'wait', 'uid', '__proto__'), texts), texts),
      3,
    ),
    cookies: fc.record({
      owner: fc.constantFrom('none', 'mine', 'mine', 'mine', 'mine', 'theirs'),
      which: fc.nat({ max: 3 }),
      change: changes,
    }),
    moreCookies: rarely(
      fc.tuple(fc.constantFrom('_interaction', '_session', '_qr_seen', '_qr_memory', '_qr_browser', 'x'), texts),
      2,
    ),
    authorization: fc.record({
      owner: fc.constantFrom('none', 'mine', 'mine', 'mine', 'mine', 'theirs'),
      change: changes,
    }),
    headers: fc
      .tuple(accept, fc.boolean(), fc.array(fc.tuple(fc.constantFrom(...HEADERS), inHeader), { maxLength: 4 }))
      .map(([wanted, isOurs, more]): [string, string][] => [
        ['accept', wanted],
        ...(isOurs ? [['sec-fetch-site', 'same-origin'] as [string, string]] : []),
        ...more,
      ]),
    body: bodiesOf(route),
  });

const theirFields = (decision: string): Field[] => [
  ['csrf', { owner: 'theirs', what: 'csrf' }],
  ['decision', { text: decision }],
];

/** A request that the bystander could send, except for a change in one of the necessary cookies. */
const impersonationsAt = (route: Route): Arbitrary<FuzzRequest> =>
  fc.tuple(anythingTo(route), fc.constantFrom('approve', 'deny', 'report', 'unable')).map(
    ([{ cookies }, decision]): FuzzRequest => ({
      route,
      method: route.method,
      segment: { owner: 'theirs', what: usualIn(route) },
      isEncoded: true,
      query: [],
      cookies: { ...cookies, owner: 'theirs' },
      moreCookies: [],
      authorization: { owner: 'theirs', change: cookies.change },
      headers: [['accept', 'application/json']],
      body: route.method === 'GET' ? { as: 'nothing' } : { as: 'json', fields: theirFields(decision) },
    }),
  );

/** Returns requests to these routes. */
export function requestsTo(routes: readonly Route[]): Arbitrary<FuzzRequest> {
  return fc
    .constantFrom(...routes)
    .chain((route) =>
      fc.oneof({ weight: 9, arbitrary: anythingTo(route) }, { weight: 1, arbitrary: impersonationsAt(route) }),
    );
}

export function readValue(value: Value, mine: Secrets, theirs: Secrets): string {
  if ('text' in value) return value.text;
  const known = (value.owner === 'mine' ? mine : theirs)[value.what];
  return value.change === undefined ? known : applyChange(known, value.change);
}
