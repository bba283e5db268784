/** The rows of the tables in `docs/oidc.md`: a request, the acts of the users, and the result. Each row is a test. */

export type Name = 'alice' | 'bob';

/** The RPs, by their client ids. */
export type App = 'app' | 'pairwise-app' | 'default-max-age-app' | 'logout-app' | 'far-reaching-app';

/** The configuration of the provider: the options `consent`, `assurance` and `signIn`. */
export type Setup = 'usual' | 'consent: phone' | 'consent: implied' | 'assurance: less' | 'signIn: never again';

export interface Asks {
  /** The authorization parameters, as they are sent. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The account of the `id_token_hint`. The hint is an ID token that this RP got for the account before. */
  readonly hint?: Name;
  /** The account of the `sub` claim. The claim's value is the subject by which this RP knows the account. */
  readonly sub?: Name;
  /** An `acr` claim. */
  readonly acr?: { readonly essential?: true; readonly value?: string; readonly values?: readonly string[] };
  /** The claims for the userinfo endpoint. */
  readonly userinfo?: readonly string[];
}

export type Act =
  | 'signs in'
  | 'signs in strongly'
  | 'signs in as bob'
  | 'approves'
  | 'approves and stays signed in'
  | 'denies'
  | 'gives up'
  | 'cancels'
  | 'agrees to the switch'
  | 'declines the switch'
  | 'allows'
  | 'refuses';

/** The phone's session when it scans. */
export interface PhoneSession {
  readonly of: Name;
  readonly since: 'an hour ago' | 'just now' | 'not signed in';
  /** True if the user signed in with the stronger `acr`. */
  readonly strong?: true;
}

/** One request, from the RP and back to it. */
export interface Visit {
  readonly app?: App;
  readonly asks?: Asks;
  readonly phone?: PhoneSession;
  readonly acts: readonly Act[];
}

/** The result of a request. A text is empty if there is nothing to report. */
export interface Observation {
  /** The unmet requirement each time that the confirm page is shown. */
  readonly unmet: string;
  /** `code`, or the error that the RP gets. */
  readonly answer: string;
  readonly authTime: '' | "the phone's" | 'during the request';
  readonly acr: string;
  readonly amr: string;
  readonly sub: string;
  /** The scopes of the tokens, and other granted things after a plus. */
  readonly granted: string;
  /** The permissions that the confirm page lists. */
  readonly lists: string;
  /** The lifetime of the browser's session cookie. */
  readonly session: '' | 'until the browser closes' | 'kept';
  readonly signedIn: Name | 'no account';
  /** The accounts in the back-channel logout tokens that the app received. */
  readonly loggedOut: string;
  /** The `login_hint` on the QR page. */
  readonly hint: string;
  /** The language of the QR page and the confirm page. */
  readonly language: string;
  /** The numbers of pages that the user sees on the browser and on the phone. */
  readonly pages: `${number} / ${number}`;
}

export interface Row extends Visit {
  /** The title of the row. */
  readonly what: string;
  /** The configuration, if it is not the usual one. */
  readonly on?: Setup;
  /** The earlier sign-ins in this browser. */
  readonly before?: readonly Visit[];
  readonly seen: Observation;
}

export interface Section {
  readonly title: string;
  /** The columns of the table in the docs. The test also compares the other values. */
  readonly columns: readonly (keyof Observation)[];
  readonly rows: readonly Row[];
}

export const PASSWORD = 'urn:example:acr:password';
export const STRONG = 'urn:example:acr:strong';
export const API = 'urn:example:api';

const OLD: PhoneSession = { of: 'alice', since: 'an hour ago' };
const NEW: PhoneSession = { of: 'alice', since: 'just now' };
const NEW_AND_STRONG: PhoneSession = { of: 'alice', since: 'just now', strong: true };
const NOT_YET: PhoneSession = { of: 'alice', since: 'not signed in' };

const CODE: Observation = {
  unmet: '',
  answer: 'code',
  authTime: "the phone's",
  acr: 'password',
  amr: 'pwd mca user',
  sub: 'alice',
  granted: 'openid profile',
  lists: 'see your profile: name, picture and so on',
  session: 'until the browser closes',
  signedIn: 'alice',
  loggedOut: '',
  hint: '',
  language: 'en',
  pages: '2 / 2',
};
/**
 * The user signs in again on the phone: the confirm page, the password page, the confirm page again, and the last page.
 */
const CODE_AGAIN: Observation = { ...CODE, unmet: 'freshness', authTime: 'during the request', pages: '2 / 4' };
const STEPPED_UP: Observation = {
  ...CODE_AGAIN,
  unmet: 'acr',
  acr: 'strong',
  amr: 'pwd otp mca user',
};
const ERROR: Observation = {
  ...CODE,
  authTime: '',
  acr: '',
  amr: '',
  sub: '',
  granted: '',
  session: '',
  signedIn: 'no account',
  pages: '1 / 2',
};
/** The user sees no page, because the provider answers immediately. */
const AT_ONCE = { lists: '', language: '', pages: '0 / 0' } as const;
const LOGIN_REQUIRED: Observation = { ...ERROR, answer: 'login_required', unmet: 'freshness' };
const UNMET: Observation = { ...ERROR, answer: 'unmet_authentication_requirements', unmet: 'acr' };
const WRONG_ACCOUNT: Observation = { ...ERROR, answer: 'login_required', unmet: 'account' };
const AS_BOB: Observation = { ...CODE_AGAIN, unmet: 'account', sub: 'bob', signedIn: 'bob' };
const NO_SIGN_IN = ' (no sign-in offered)';

const APPROVED = ['approves', 'allows'] as const;
const AGAIN = ['signs in', 'approves', 'allows'] as const;
const STRONGLY = ['signs in strongly', 'approves', 'allows'] as const;
const BOB = ['signs in as bob', 'approves', 'allows'] as const;
const asks = (parameters: Record<string, string>): Asks => ({ parameters });
const LOGIN: Asks = asks({ prompt: 'login' });
const NONE: Asks = asks({ prompt: 'none' });
const ESSENTIAL: Asks = { acr: { essential: true, value: STRONG } };
const ESSENTIAL_VALUES: Asks = { acr: { essential: true, values: [STRONG, 'urn:example:acr:key'] } };
const SIGNED_IN: Visit = { acts: APPROVED };
const SIGNED_IN_STRONGLY: Visit = { phone: NEW_AND_STRONG, acts: APPROVED };

const freshness: Section = {
  title: 'Freshness',
  columns: ['unmet', 'answer', 'authTime', 'pages'],
  rows: [
    { what: 'no requirement, old session', phone: OLD, acts: APPROVED, seen: CODE },
    { what: 'no requirement, new session', acts: APPROVED, seen: CODE },
    {
      what: 'no requirement, the phone is not signed in',
      phone: NOT_YET,
      acts: AGAIN,
      seen: { ...CODE, authTime: 'during the request', pages: '2 / 3' },
    },
    { what: 'prompt=login, old session', asks: LOGIN, phone: OLD, acts: AGAIN, seen: CODE_AGAIN },
    { what: 'prompt=login, new session', asks: LOGIN, acts: AGAIN, seen: CODE_AGAIN },
    {
      what: 'prompt=login, the user does not sign in again',
      asks: LOGIN,
      phone: OLD,
      acts: ['gives up'],
      seen: LOGIN_REQUIRED,
    },
    {
      what: 'prompt=login, the deployment has no way to sign in again',
      on: 'signIn: never again',
      asks: LOGIN,
      acts: ['gives up'],
      seen: { ...LOGIN_REQUIRED, unmet: `freshness${NO_SIGN_IN}` },
    },
    {
      what: 'prompt=login, the phone is not signed in',
      asks: LOGIN,
      phone: NOT_YET,
      acts: AGAIN,
      seen: { ...CODE_AGAIN, unmet: '', pages: '2 / 3' },
    },
    {
      what: 'prompt=login, the browser is signed in already',
      before: [SIGNED_IN],
      asks: LOGIN,
      acts: ['signs in', 'approves'],
      seen: { ...CODE_AGAIN, pages: '1 / 4' },
    },
    { what: 'max_age met by an old session', asks: asks({ max_age: '7200' }), phone: OLD, acts: APPROVED, seen: CODE },
    { what: 'max_age met by a new session', asks: asks({ max_age: '600' }), acts: APPROVED, seen: CODE },
    { what: 'max_age exceeded', asks: asks({ max_age: '600' }), phone: OLD, acts: AGAIN, seen: CODE_AGAIN },
    {
      what: 'max_age exceeded, the user does not sign in again',
      asks: asks({ max_age: '600' }),
      phone: OLD,
      acts: ['gives up'],
      seen: LOGIN_REQUIRED,
    },
    { what: 'max_age=0, new session', asks: asks({ max_age: '0' }), acts: AGAIN, seen: CODE_AGAIN },
    {
      what: 'max_age=0, the user does not sign in again',
      asks: asks({ max_age: '0' }),
      acts: ['gives up'],
      seen: LOGIN_REQUIRED,
    },
    {
      what: 'max_age met, but also prompt=login',
      asks: asks({ prompt: 'login', max_age: '7200' }),
      phone: OLD,
      acts: AGAIN,
      seen: CODE_AGAIN,
    },
    { what: "the client's default_max_age is met", app: 'default-max-age-app', acts: APPROVED, seen: CODE },
    {
      what: "the client's default_max_age is exceeded",
      app: 'default-max-age-app',
      phone: OLD,
      acts: AGAIN,
      seen: CODE_AGAIN,
    },
    {
      what: "the client's default_max_age is exceeded, the user does not sign in again",
      app: 'default-max-age-app',
      phone: OLD,
      acts: ['gives up'],
      seen: LOGIN_REQUIRED,
    },
    {
      what: 'max_age overrides default_max_age',
      app: 'default-max-age-app',
      asks: asks({ max_age: '7200' }),
      phone: OLD,
      acts: APPROVED,
      seen: CODE,
    },
    {
      what: "max_age met by the browser's own session",
      before: [SIGNED_IN],
      asks: asks({ max_age: '600' }),
      acts: [],
      seen: { ...CODE, ...AT_ONCE },
    },
    {
      what: "max_age exceeded by the browser's own session",
      before: [{ phone: OLD, acts: APPROVED }],
      asks: asks({ max_age: '600' }),
      acts: ['approves'],
      seen: { ...CODE, pages: '1 / 2' },
    },
    {
      what: 'prompt=none, the browser is not signed in',
      asks: NONE,
      acts: [],
      seen: { ...LOGIN_REQUIRED, ...AT_ONCE, unmet: '' },
    },
    {
      what: 'prompt=none, the browser is signed in',
      before: [SIGNED_IN],
      asks: NONE,
      acts: [],
      seen: { ...CODE, ...AT_ONCE },
    },
    { what: 'the user denies', acts: ['denies'], seen: { ...ERROR, answer: 'access_denied' } },
    {
      what: 'the user denies instead of signing in again',
      asks: LOGIN,
      phone: OLD,
      acts: ['denies'],
      seen: { ...ERROR, answer: 'access_denied', unmet: 'freshness' },
    },
    {
      what: 'the user cancels on the browser',
      acts: ['cancels'],
      seen: { ...ERROR, answer: 'access_denied', lists: '', pages: '1 / 0' },
    },
  ],
};

const acr: Section = {
  title: 'Authentication context class',
  columns: ['unmet', 'answer', 'authTime', 'acr', 'amr', 'pages'],
  rows: [
    {
      what: 'acr_values met',
      asks: asks({ acr_values: STRONG }),
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: { ...CODE, acr: 'strong', amr: 'pwd otp mca user' },
    },
    { what: 'acr_values not met', asks: asks({ acr_values: STRONG }), acts: APPROVED, seen: CODE },
    {
      what: 'acr_values with prompt=login, met by the new sign-in',
      asks: asks({ acr_values: STRONG, prompt: 'login' }),
      acts: STRONGLY,
      seen: { ...STEPPED_UP, unmet: 'freshness' },
    },
    {
      what: 'acr_values with prompt=login, not met',
      asks: asks({ acr_values: STRONG, prompt: 'login' }),
      acts: AGAIN,
      seen: CODE_AGAIN,
    },
    { what: 'a voluntary acr claim not met', asks: { acr: { values: [STRONG] } }, acts: APPROVED, seen: CODE },
    {
      what: 'a voluntary acr claim met',
      asks: { acr: { value: STRONG } },
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: { ...CODE, acr: 'strong', amr: 'pwd otp mca user' },
    },
    { what: 'an essential acr without a value', asks: { acr: { essential: true } }, acts: APPROVED, seen: CODE },
    {
      what: 'an essential acr value met',
      asks: ESSENTIAL,
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: { ...CODE, acr: 'strong', amr: 'pwd otp mca user' },
    },
    {
      what: 'one of the essential acr values met',
      asks: { acr: { essential: true, values: [STRONG, PASSWORD] } },
      acts: APPROVED,
      seen: CODE,
    },
    { what: 'an essential acr value, met by a step-up', asks: ESSENTIAL, acts: STRONGLY, seen: STEPPED_UP },
    {
      what: 'one of the essential acr values, met by a step-up',
      asks: ESSENTIAL_VALUES,
      acts: STRONGLY,
      seen: STEPPED_UP,
    },
    {
      what: 'an essential acr value and prompt=login, both met by one sign-in',
      asks: { ...LOGIN, ...ESSENTIAL },
      phone: OLD,
      acts: STRONGLY,
      seen: { ...STEPPED_UP, unmet: 'freshness' },
    },
    { what: 'an essential acr value, the user gives up', asks: ESSENTIAL, acts: ['gives up'], seen: UNMET },
    { what: 'essential acr values, the user gives up', asks: ESSENTIAL_VALUES, acts: ['gives up'], seen: UNMET },
    {
      what: 'an essential acr value that the new sign-in does not reach',
      asks: ESSENTIAL,
      acts: ['signs in', 'gives up'],
      seen: { ...UNMET, unmet: `acr, acr${NO_SIGN_IN}`, pages: '1 / 4' },
    },
    {
      what: 'essential acr values that the new sign-in does not reach',
      asks: ESSENTIAL_VALUES,
      acts: ['signs in', 'gives up'],
      seen: { ...UNMET, unmet: `acr, acr${NO_SIGN_IN}`, pages: '1 / 4' },
    },
    {
      what: 'an essential acr value, the deployment has no way to step up',
      on: 'signIn: never again',
      asks: ESSENTIAL,
      acts: ['gives up'],
      seen: { ...UNMET, unmet: `acr${NO_SIGN_IN}` },
    },
    {
      what: 'an essential acr value, met by a step-up, the browser is signed in already',
      before: [SIGNED_IN],
      asks: ESSENTIAL,
      acts: ['signs in strongly', 'approves'],
      seen: { ...STEPPED_UP, pages: '1 / 4' },
    },
    {
      what: 'an essential acr value, the browser is signed in with it already',
      before: [SIGNED_IN_STRONGLY],
      asks: ESSENTIAL,
      acts: [],
      seen: { ...CODE, ...AT_ONCE, acr: 'strong', amr: 'pwd otp mca user' },
    },
    {
      what: 'an essential acr value, the user gives up, the browser is signed in already',
      before: [SIGNED_IN],
      asks: ESSENTIAL,
      acts: ['gives up'],
      seen: { ...UNMET, session: 'until the browser closes', signedIn: 'alice' },
    },
    {
      what: 'an essential acr value, met by a step-up after a weaker sign-in',
      asks: ESSENTIAL,
      phone: NOT_YET,
      acts: ['signs in', ...STRONGLY],
      seen: { ...STEPPED_UP, pages: '2 / 5' },
    },
    {
      what: 'an essential acr that no class can meet',
      asks: { acr: { essential: true, values: [] } },
      acts: ['gives up'],
      seen: UNMET,
    },
    {
      what: 'acr and amr, lowered by the assurance option',
      on: 'assurance: less',
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: CODE,
    },
    {
      what: 'acr_values, lowered by the assurance option',
      on: 'assurance: less',
      asks: asks({ acr_values: STRONG }),
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: CODE,
    },
    {
      what: 'an essential acr value, lowered by the assurance option',
      on: 'assurance: less',
      asks: ESSENTIAL,
      phone: NEW_AND_STRONG,
      acts: ['signs in strongly', 'gives up'],
      seen: { ...UNMET, unmet: `acr, acr${NO_SIGN_IN}`, pages: '1 / 4' },
    },
  ],
};

const account: Section = {
  title: 'Account and language',
  columns: ['unmet', 'answer', 'authTime', 'sub', 'hint', 'language', 'pages'],
  rows: [
    { what: 'id_token_hint of the same account', asks: { hint: 'alice' }, phone: OLD, acts: APPROVED, seen: CODE },
    {
      what: 'id_token_hint of another account, the user switches to it',
      asks: { hint: 'bob' },
      acts: BOB,
      seen: AS_BOB,
    },
    {
      what: 'id_token_hint of another account, the user gives up',
      asks: { hint: 'bob' },
      acts: ['gives up'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'id_token_hint of another account, the wrong account signs in again',
      asks: { hint: 'bob' },
      acts: ['signs in', 'gives up'],
      seen: { ...WRONG_ACCOUNT, unmet: 'account, account', pages: '1 / 4' },
    },
    {
      what: 'id_token_hint of another account with prompt=login, met by one sign-in',
      asks: { ...LOGIN, hint: 'bob' },
      acts: BOB,
      seen: AS_BOB,
    },
    {
      what: 'id_token_hint of another account with an essential acr value, both met',
      asks: { ...ESSENTIAL, hint: 'bob' },
      acts: ['signs in as bob', 'signs in strongly', 'approves', 'allows'],
      seen: { ...AS_BOB, unmet: 'account, acr', acr: 'strong', amr: 'pwd otp mca user', pages: '2 / 6' },
    },
    {
      what: 'id_token_hint of the same account, pairwise',
      app: 'pairwise-app',
      asks: { hint: 'alice' },
      acts: APPROVED,
      seen: { ...CODE, sub: 'alice, pairwise' },
    },
    {
      what: 'id_token_hint of another account, pairwise, the user switches to it',
      app: 'pairwise-app',
      asks: { hint: 'bob' },
      acts: BOB,
      seen: { ...AS_BOB, sub: 'bob, pairwise' },
    },
    {
      what: 'id_token_hint of another account, pairwise, the user gives up',
      app: 'pairwise-app',
      asks: { hint: 'bob' },
      acts: ['gives up'],
      seen: WRONG_ACCOUNT,
    },
    { what: 'a sub claim of the same account', asks: { sub: 'alice' }, acts: APPROVED, seen: CODE },
    { what: 'a sub claim of another account, the user switches to it', asks: { sub: 'bob' }, acts: BOB, seen: AS_BOB },
    {
      what: 'a sub claim of another account, the user gives up',
      asks: { sub: 'bob' },
      acts: ['gives up'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'a sub claim of the same account, pairwise',
      app: 'pairwise-app',
      asks: { sub: 'alice' },
      acts: APPROVED,
      seen: { ...CODE, sub: 'alice, pairwise' },
    },
    {
      what: 'a sub claim of another account, pairwise, the user switches to it',
      app: 'pairwise-app',
      asks: { sub: 'bob' },
      acts: BOB,
      seen: { ...AS_BOB, sub: 'bob, pairwise' },
    },
    {
      what: 'a sub claim of another account, pairwise, the user gives up',
      app: 'pairwise-app',
      asks: { sub: 'bob' },
      acts: ['gives up'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'a sub claim and an id_token_hint that contradict each other',
      asks: { sub: 'alice', hint: 'bob' },
      acts: ['gives up'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'a sub claim that no account can have',
      asks: asks({ claims: '{"id_token":{"sub":{"value":null}}}' }),
      acts: ['gives up'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'login_hint, which is only shown',
      asks: asks({ login_hint: 'bob@example.com' }),
      acts: APPROVED,
      seen: { ...CODE, hint: 'bob@example.com' },
    },
    {
      what: 'ui_locales',
      asks: asks({ ui_locales: 'zh' }),
      acts: APPROVED,
      seen: { ...CODE, language: 'zh', lists: '查看您的个人资料（姓名、头像等）' },
    },
    {
      what: 'ui_locales, the first available one counts',
      asks: asks({ ui_locales: 'tlh-KX zh-CN en' }),
      acts: APPROVED,
      seen: { ...CODE, language: 'zh', lists: '查看您的个人资料（姓名、头像等）' },
    },
    { what: 'ui_locales, none of them is available', asks: asks({ ui_locales: 'tlh' }), acts: APPROVED, seen: CODE },
  ],
};

const ON_PHONE: Observation = { ...CODE, pages: '1 / 2' };
const IMPLIED: Observation = { ...ON_PHONE, lists: '' };
const MAIL: Asks = { parameters: { scope: 'openid' }, userinfo: ['email'] };
const AT_API: Asks = asks({ scope: 'openid read', resource: API });
const PAYMENT: Asks = asks({ scope: 'openid read', resource: API, authorization_details: '[{"type":"payment"}]' });
const OFFLINE: Asks = asks({ scope: 'openid offline_access', prompt: 'consent' });

const consent: Section = {
  title: 'Consent',
  columns: ['lists', 'answer', 'granted', 'pages'],
  rows: [
    { what: 'scopes, on the browser', acts: APPROVED, seen: CODE },
    {
      what: 'scopes, refused on the browser',
      acts: ['approves', 'refuses'],
      seen: { ...ERROR, answer: 'access_denied', session: CODE.session, signedIn: 'alice', pages: '2 / 2' },
    },
    {
      what: 'scopes granted before, on the browser',
      before: [SIGNED_IN],
      asks: LOGIN,
      acts: ['signs in', 'approves'],
      seen: { ...CODE_AGAIN, pages: '1 / 4' },
    },
    {
      what: 'a claim, on the browser',
      asks: MAIL,
      acts: APPROVED,
      seen: { ...CODE, granted: 'openid + email', lists: '' },
    },
    {
      what: 'scopes of an API, on the browser',
      asks: AT_API,
      acts: APPROVED,
      seen: { ...CODE, granted: 'read', lists: 'read' },
    },
    {
      what: 'a rich authorization request, on the browser',
      app: 'far-reaching-app',
      asks: PAYMENT,
      acts: APPROVED,
      seen: { ...CODE, granted: 'read + payment', lists: 'read' },
    },
    { what: 'scopes, on the phone', on: 'consent: phone', acts: ['approves'], seen: ON_PHONE },
    {
      what: 'scopes, denied on the phone',
      on: 'consent: phone',
      acts: ['denies'],
      seen: { ...ERROR, answer: 'access_denied' },
    },
    {
      what: 'a claim, on the phone',
      on: 'consent: phone',
      asks: MAIL,
      acts: ['approves'],
      seen: { ...ON_PHONE, granted: 'openid + email', lists: 'see your email address' },
    },
    {
      what: 'scopes of an API, on the phone',
      on: 'consent: phone',
      asks: AT_API,
      acts: ['approves'],
      seen: { ...ON_PHONE, granted: 'read', lists: 'At urn:example:api: read' },
    },
    {
      what: 'offline access, on the phone',
      on: 'consent: phone',
      app: 'far-reaching-app',
      asks: OFFLINE,
      acts: ['approves'],
      seen: { ...ON_PHONE, granted: 'openid offline_access', lists: 'keep this access while you are away' },
    },
    {
      what: 'a rich authorization request, which the phone cannot show',
      on: 'consent: phone',
      app: 'far-reaching-app',
      asks: PAYMENT,
      acts: APPROVED,
      seen: { ...CODE, granted: 'read + payment', lists: 'read' },
    },
    {
      what: 'more scopes later, when the browser is signed in already',
      on: 'consent: phone',
      before: [{ acts: ['approves'] }],
      asks: asks({ scope: 'openid profile email' }),
      acts: ['allows'],
      seen: { ...CODE, ...AT_ONCE, granted: 'openid profile email', pages: '1 / 0' },
    },
    {
      what: 'fewer scopes later, on the phone',
      on: 'consent: phone',
      before: [{ asks: asks({ scope: 'openid profile email' }), acts: ['approves'] }],
      asks: LOGIN,
      acts: ['signs in', 'approves'],
      seen: { ...CODE_AGAIN, pages: '1 / 4' },
    },
    { what: 'scopes, implied', on: 'consent: implied', acts: ['approves'], seen: IMPLIED },
    {
      what: 'a claim, implied',
      on: 'consent: implied',
      asks: MAIL,
      acts: ['approves'],
      seen: { ...IMPLIED, granted: 'openid + email' },
    },
    {
      what: 'scopes of an API, implied',
      on: 'consent: implied',
      asks: AT_API,
      acts: ['approves'],
      seen: { ...IMPLIED, granted: 'read' },
    },
    {
      what: 'a rich authorization request, never implied',
      on: 'consent: implied',
      app: 'far-reaching-app',
      asks: PAYMENT,
      acts: APPROVED,
      seen: { ...IMPLIED, granted: 'read + payment', lists: 'read', pages: '2 / 2' },
    },
    {
      what: 'prompt=consent, never implied',
      on: 'consent: implied',
      app: 'far-reaching-app',
      asks: OFFLINE,
      acts: APPROVED,
      seen: {
        ...IMPLIED,
        granted: 'openid offline_access',
        lists: 'keep this access while you are away',
        pages: '2 / 2',
      },
    },
  ],
};

const HELD_BY_BOB: readonly Visit[] = [{ app: 'logout-app', phone: { of: 'bob', since: 'just now' }, acts: APPROVED }];
const STILL_BOB: Observation = { ...ERROR, answer: 'access_denied', session: CODE.session, signedIn: 'bob' };

const accountSwitch: Section = {
  title: 'A browser that another account is signed in to',
  columns: ['answer', 'sub', 'signedIn', 'loggedOut', 'pages'],
  rows: [
    {
      what: 'id_token_hint of the account on the phone, the user agrees',
      before: HELD_BY_BOB,
      asks: { hint: 'alice' },
      acts: ['approves', 'agrees to the switch', 'allows'],
      seen: { ...CODE, loggedOut: 'bob' },
    },
    {
      what: 'id_token_hint of the account on the phone, the user declines',
      before: HELD_BY_BOB,
      asks: { hint: 'alice' },
      acts: ['approves', 'declines the switch'],
      seen: STILL_BOB,
    },
    {
      what: 'prompt=login, the user agrees',
      before: HELD_BY_BOB,
      asks: LOGIN,
      acts: ['signs in', 'approves', 'agrees to the switch', 'allows'],
      seen: { ...CODE_AGAIN, loggedOut: 'bob' },
    },
    {
      what: 'prompt=login, the user declines',
      before: HELD_BY_BOB,
      asks: LOGIN,
      acts: ['signs in', 'approves', 'declines the switch'],
      seen: { ...STILL_BOB, unmet: 'freshness', pages: '1 / 4' },
    },
    {
      what: 'prompt=login, the user denies on the phone',
      before: HELD_BY_BOB,
      asks: LOGIN,
      acts: ['denies'],
      seen: { ...STILL_BOB, unmet: 'freshness' },
    },
    {
      what: 'id_token_hint, the user agrees, consent on the phone',
      on: 'consent: phone',
      before: [{ app: 'logout-app', phone: { of: 'bob', since: 'just now' }, acts: ['approves'] }],
      asks: { hint: 'alice' },
      acts: ['approves', 'agrees to the switch'],
      seen: { ...ON_PHONE, loggedOut: 'bob' },
    },
    {
      what: 'prompt=login, the same account on both',
      before: HELD_BY_BOB,
      app: 'logout-app',
      asks: LOGIN,
      phone: { of: 'bob', since: 'just now' },
      acts: ['signs in as bob', 'approves'],
      seen: { ...CODE_AGAIN, sub: 'bob', signedIn: 'bob', pages: '1 / 4' },
    },
    {
      what: 'id_token_hint of the account in the browser',
      before: [...HELD_BY_BOB, { phone: { of: 'bob', since: 'just now' }, acts: ['allows'] }],
      asks: { hint: 'bob' },
      acts: [],
      seen: { ...CODE, ...AT_ONCE, sub: 'bob', signedIn: 'bob' },
    },
  ],
};

const ON: Visit = { acts: ['approves and stays signed in', 'allows'] };
const OFF_AGAIN: Visit = { asks: LOGIN, acts: ['signs in', 'approves'] };
const ON_AGAIN: Visit = { asks: LOGIN, acts: ['signs in', 'approves and stays signed in'] };
const KEPT: Observation = { ...CODE_AGAIN, session: 'kept', pages: '1 / 4' };

const remember: Section = {
  title: 'Being remembered',
  columns: ['session', 'answer', 'pages'],
  rows: [
    { what: 'off', ...SIGNED_IN, seen: CODE },
    { what: 'on', ...ON, seen: { ...CODE, session: 'kept' } },
    { what: 'on, then off', before: [ON], ...OFF_AGAIN, seen: { ...KEPT, session: CODE.session } },
    { what: 'on, then on', before: [ON], ...ON_AGAIN, seen: KEPT },
    { what: 'off, then on', before: [SIGNED_IN], ...ON_AGAIN, seen: KEPT },
    { what: 'on, off, then on', before: [ON, OFF_AGAIN], ...ON_AGAIN, seen: KEPT },
    {
      what: 'on, off, on, then off',
      before: [ON, OFF_AGAIN, ON_AGAIN],
      ...OFF_AGAIN,
      seen: { ...KEPT, session: CODE.session },
    },
    {
      what: 'off for one account, then on for another one',
      before: HELD_BY_BOB,
      asks: { hint: 'alice' },
      acts: ['approves and stays signed in', 'agrees to the switch', 'allows'],
      seen: { ...CODE, session: 'kept', loggedOut: 'bob' },
    },
  ],
};

export const TABLE: readonly Section[] = [freshness, acr, account, consent, accountSwitch, remember];

/** The phone of a visit that does not specify a phone. */
export const USUAL_PHONE: PhoneSession = NEW;
