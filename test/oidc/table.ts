/** What an RP may ask for, what people do, and what the RP sees then: the rows of `docs/oidc.md`, each one a test. */

export type Name = 'alice' | 'bob';

/** The RPs, by their client ids. */
export type App = 'app' | 'pairwise-app' | 'default-max-age-app' | 'logout-app' | 'far-reaching-app';

/** How the provider is set up: `consent`, `assurance` and `signIn` of the options. */
export type Setup = 'usual' | 'consent: phone' | 'consent: implied' | 'assurance: less' | 'signIn: never again';

export interface Asks {
  /** Authorization parameters, as they are sent. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** An `id_token_hint`: the ID token that this RP got for that account before. */
  readonly hint?: Name;
  /** A `sub` claim with the value by which this RP knows that account. */
  readonly sub?: Name;
  /** An `acr` claim. */
  readonly acr?: { readonly essential?: true; readonly value?: string; readonly values?: readonly string[] };
  /** Claims for the userinfo endpoint. */
  readonly userinfo?: readonly string[];
}

export type Act =
  | 'signs in'
  | 'signs in strongly'
  | 'signs in as bob'
  | 'approves'
  | 'approves, to be remembered'
  | 'denies'
  | 'cannot'
  | 'cancels'
  | 'agrees to the switch'
  | 'declines the switch'
  | 'allows'
  | 'refuses';

/** The phone's session when it scans. */
export interface PhoneSession {
  readonly of: Name;
  readonly since: 'an hour ago' | 'just now' | 'not signed in';
  readonly strong?: true;
}

/** One request, from the RP and back to it. */
export interface Visit {
  readonly app?: App;
  readonly asks?: Asks;
  readonly phone?: PhoneSession;
  readonly acts: readonly Act[];
}

/** What there is to be seen of it. Empty texts where there is nothing. */
export interface Seen {
  /** What stands in the way of Approve each time that the confirm page is shown. */
  readonly told: string;
  /** `code`, or the error that the RP gets. */
  readonly answer: string;
  readonly authTime: '' | "the phone's" | 'during the request';
  readonly acr: string;
  readonly amr: string;
  readonly sub: string;
  /** The scopes that the tokens have; what else was granted after a plus. */
  readonly granted: string;
  /** What the confirm page says that the app will be able to do. */
  readonly lists: string;
  /** How long the browser's session cookie lasts. */
  readonly session: '' | 'until the browser closes' | 'kept';
  readonly signedIn: Name | 'nobody';
  /** Whose apps were told by back-channel logout. */
  readonly loggedOut: string;
  /** The `login_hint` on the QR page. */
  readonly hint: string;
  /** The language of the QR page and the confirm page. */
  readonly language: string;
  /** How many pages a person sees on the browser and on the phone. */
  readonly pages: `${number} / ${number}`;
}

export interface Row extends Visit {
  readonly what: string;
  readonly on?: Setup;
  /** What happened in this browser before. */
  readonly before?: readonly Visit[];
  readonly seen: Seen;
}

export interface Section {
  readonly title: string;
  /** What this section is about; the rest is tested all the same. */
  readonly columns: readonly (keyof Seen)[];
  readonly rows: readonly Row[];
}

export const PASSWORD = 'urn:example:acr:password';
export const STRONG = 'urn:example:acr:strong';
export const API = 'urn:example:api';

const OLD: PhoneSession = { of: 'alice', since: 'an hour ago' };
const NEW: PhoneSession = { of: 'alice', since: 'just now' };
const NEW_AND_STRONG: PhoneSession = { of: 'alice', since: 'just now', strong: true };
const NOT_YET: PhoneSession = { of: 'alice', since: 'not signed in' };

const CODE: Seen = {
  told: '',
  answer: 'code',
  authTime: "the phone's",
  acr: 'password',
  amr: 'pwd mca user',
  sub: 'alice',
  granted: 'openid profile',
  lists: 'see your profile: name, picture and the like',
  session: 'until the browser closes',
  signedIn: 'alice',
  loggedOut: '',
  hint: '',
  language: 'en',
  pages: '2 / 2',
};
/** The phone signed in once more: the confirm page, the password, the confirm page again, and the end. */
const CODE_AGAIN: Seen = { ...CODE, told: 'freshness', authTime: 'during the request', pages: '2 / 4' };
const STEPPED_UP: Seen = {
  ...CODE_AGAIN,
  told: 'acr',
  acr: 'strong',
  amr: 'pwd otp mca user',
};
const ERROR: Seen = {
  ...CODE,
  authTime: '',
  acr: '',
  amr: '',
  sub: '',
  granted: '',
  session: '',
  signedIn: 'nobody',
  pages: '1 / 2',
};
/** No page at all: the provider answers by itself. */
const AT_ONCE = { lists: '', language: '', pages: '0 / 0' } as const;
const LOGIN_REQUIRED: Seen = { ...ERROR, answer: 'login_required', told: 'freshness' };
const UNMET: Seen = { ...ERROR, answer: 'unmet_authentication_requirements', told: 'acr' };
const WRONG_ACCOUNT: Seen = { ...ERROR, answer: 'login_required', told: 'account' };
const AS_BOB: Seen = { ...CODE_AGAIN, told: 'account', sub: 'bob', signedIn: 'bob' };
const NO_WAY = ' (no way on)';

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
  columns: ['told', 'answer', 'authTime', 'pages'],
  rows: [
    { what: 'nothing is demanded of an old session', phone: OLD, acts: APPROVED, seen: CODE },
    { what: 'nothing is demanded of a new session', acts: APPROVED, seen: CODE },
    {
      what: 'nothing is demanded of a phone that is not signed in',
      phone: NOT_YET,
      acts: AGAIN,
      seen: { ...CODE, authTime: 'during the request', pages: '2 / 3' },
    },
    { what: 'prompt=login, old session', asks: LOGIN, phone: OLD, acts: AGAIN, seen: CODE_AGAIN },
    { what: 'prompt=login, new session', asks: LOGIN, acts: AGAIN, seen: CODE_AGAIN },
    { what: 'prompt=login, nobody signs in again', asks: LOGIN, phone: OLD, acts: ['cannot'], seen: LOGIN_REQUIRED },
    {
      what: 'prompt=login, the deployment has no way to sign in again',
      on: 'signIn: never again',
      asks: LOGIN,
      acts: ['cannot'],
      seen: { ...LOGIN_REQUIRED, told: `freshness${NO_WAY}` },
    },
    {
      what: 'prompt=login, a phone that is not signed in',
      asks: LOGIN,
      phone: NOT_YET,
      acts: AGAIN,
      seen: { ...CODE_AGAIN, told: '', pages: '2 / 3' },
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
    { what: 'max_age passed', asks: asks({ max_age: '600' }), phone: OLD, acts: AGAIN, seen: CODE_AGAIN },
    {
      what: 'max_age passed, nobody signs in again',
      asks: asks({ max_age: '600' }),
      phone: OLD,
      acts: ['cannot'],
      seen: LOGIN_REQUIRED,
    },
    { what: 'max_age=0, new session', asks: asks({ max_age: '0' }), acts: AGAIN, seen: CODE_AGAIN },
    {
      what: 'max_age=0, nobody signs in again',
      asks: asks({ max_age: '0' }),
      acts: ['cannot'],
      seen: LOGIN_REQUIRED,
    },
    {
      what: 'max_age met, prompt=login all the same',
      asks: asks({ prompt: 'login', max_age: '7200' }),
      phone: OLD,
      acts: AGAIN,
      seen: CODE_AGAIN,
    },
    { what: "the client's default_max_age is met", app: 'default-max-age-app', acts: APPROVED, seen: CODE },
    {
      what: "the client's default_max_age is passed",
      app: 'default-max-age-app',
      phone: OLD,
      acts: AGAIN,
      seen: CODE_AGAIN,
    },
    {
      what: "the client's default_max_age is passed, nobody signs in again",
      app: 'default-max-age-app',
      phone: OLD,
      acts: ['cannot'],
      seen: LOGIN_REQUIRED,
    },
    {
      what: 'max_age goes before default_max_age',
      app: 'default-max-age-app',
      asks: asks({ max_age: '7200' }),
      phone: OLD,
      acts: APPROVED,
      seen: CODE,
    },
    {
      what: 'max_age, the browser is signed in within it',
      before: [SIGNED_IN],
      asks: asks({ max_age: '600' }),
      acts: [],
      seen: { ...CODE, ...AT_ONCE },
    },
    {
      what: 'max_age, the browser is signed in for longer',
      before: [{ phone: OLD, acts: APPROVED }],
      asks: asks({ max_age: '600' }),
      acts: ['approves'],
      seen: { ...CODE, pages: '1 / 2' },
    },
    {
      what: 'prompt=none, nobody is signed in',
      asks: NONE,
      acts: [],
      seen: { ...LOGIN_REQUIRED, ...AT_ONCE, told: '' },
    },
    {
      what: 'prompt=none, the browser is signed in',
      before: [SIGNED_IN],
      asks: NONE,
      acts: [],
      seen: { ...CODE, ...AT_ONCE },
    },
    { what: 'the person denies', acts: ['denies'], seen: { ...ERROR, answer: 'access_denied' } },
    {
      what: 'the person denies instead of signing in again',
      asks: LOGIN,
      phone: OLD,
      acts: ['denies'],
      seen: { ...ERROR, answer: 'access_denied', told: 'freshness' },
    },
    {
      what: 'the person cancels on the browser',
      acts: ['cancels'],
      seen: { ...ERROR, answer: 'access_denied', lists: '', pages: '1 / 0' },
    },
  ],
};

const acr: Section = {
  title: 'Authentication context class',
  columns: ['told', 'answer', 'authTime', 'acr', 'amr', 'pages'],
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
      seen: { ...STEPPED_UP, told: 'freshness' },
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
    { what: 'an essential acr value stepped up to', asks: ESSENTIAL, acts: STRONGLY, seen: STEPPED_UP },
    { what: 'one of the essential acr values stepped up to', asks: ESSENTIAL_VALUES, acts: STRONGLY, seen: STEPPED_UP },
    {
      what: 'an essential acr value and prompt=login, both met by one sign-in',
      asks: { ...LOGIN, ...ESSENTIAL },
      phone: OLD,
      acts: STRONGLY,
      seen: { ...STEPPED_UP, told: 'freshness' },
    },
    { what: 'an essential acr value given up', asks: ESSENTIAL, acts: ['cannot'], seen: UNMET },
    { what: 'essential acr values given up', asks: ESSENTIAL_VALUES, acts: ['cannot'], seen: UNMET },
    {
      what: 'an essential acr value that the new sign-in does not reach',
      asks: ESSENTIAL,
      acts: ['signs in', 'cannot'],
      seen: { ...UNMET, told: `acr, acr${NO_WAY}`, pages: '1 / 4' },
    },
    {
      what: 'essential acr values that the new sign-in does not reach',
      asks: ESSENTIAL_VALUES,
      acts: ['signs in', 'cannot'],
      seen: { ...UNMET, told: `acr, acr${NO_WAY}`, pages: '1 / 4' },
    },
    {
      what: 'an essential acr value, the deployment has no way to step up',
      on: 'signIn: never again',
      asks: ESSENTIAL,
      acts: ['cannot'],
      seen: { ...UNMET, told: `acr${NO_WAY}` },
    },
    {
      what: 'an essential acr value stepped up to, the browser is signed in already',
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
      what: 'an essential acr value, given up in a browser that is signed in already',
      before: [SIGNED_IN],
      asks: ESSENTIAL,
      acts: ['cannot'],
      seen: { ...UNMET, session: 'until the browser closes', signedIn: 'alice' },
    },
    {
      what: 'an essential acr value, stepped up to after signing in with less',
      asks: ESSENTIAL,
      phone: NOT_YET,
      acts: ['signs in', ...STRONGLY],
      seen: { ...STEPPED_UP, pages: '2 / 5' },
    },
    {
      what: 'an essential acr that no class can meet',
      asks: { acr: { essential: true, values: [] } },
      acts: ['cannot'],
      seen: UNMET,
    },
    {
      what: 'acr and amr, worth less in another browser',
      on: 'assurance: less',
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: CODE,
    },
    {
      what: 'acr_values, worth less in another browser',
      on: 'assurance: less',
      asks: asks({ acr_values: STRONG }),
      phone: NEW_AND_STRONG,
      acts: APPROVED,
      seen: CODE,
    },
    {
      what: 'an essential acr value, worth less in another browser',
      on: 'assurance: less',
      asks: ESSENTIAL,
      phone: NEW_AND_STRONG,
      acts: ['signs in strongly', 'cannot'],
      seen: { ...UNMET, told: `acr, acr${NO_WAY}`, pages: '1 / 4' },
    },
  ],
};

const account: Section = {
  title: 'Which account, and which language',
  columns: ['told', 'answer', 'authTime', 'sub', 'hint', 'language', 'pages'],
  rows: [
    { what: 'id_token_hint of the same account', asks: { hint: 'alice' }, phone: OLD, acts: APPROVED, seen: CODE },
    { what: 'id_token_hint of another account, switched to', asks: { hint: 'bob' }, acts: BOB, seen: AS_BOB },
    {
      what: 'id_token_hint of another account, given up',
      asks: { hint: 'bob' },
      acts: ['cannot'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'id_token_hint of another account, the wrong one signs in again',
      asks: { hint: 'bob' },
      acts: ['signs in', 'cannot'],
      seen: { ...WRONG_ACCOUNT, told: 'account, account', pages: '1 / 4' },
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
      seen: { ...AS_BOB, told: 'account, acr', acr: 'strong', amr: 'pwd otp mca user', pages: '2 / 6' },
    },
    {
      what: 'id_token_hint of the same account, pairwise',
      app: 'pairwise-app',
      asks: { hint: 'alice' },
      acts: APPROVED,
      seen: { ...CODE, sub: 'alice, pairwise' },
    },
    {
      what: 'id_token_hint of another account, pairwise, switched to',
      app: 'pairwise-app',
      asks: { hint: 'bob' },
      acts: BOB,
      seen: { ...AS_BOB, sub: 'bob, pairwise' },
    },
    {
      what: 'id_token_hint of another account, pairwise, given up',
      app: 'pairwise-app',
      asks: { hint: 'bob' },
      acts: ['cannot'],
      seen: WRONG_ACCOUNT,
    },
    { what: 'a sub claim of the same account', asks: { sub: 'alice' }, acts: APPROVED, seen: CODE },
    { what: 'a sub claim of another account, switched to', asks: { sub: 'bob' }, acts: BOB, seen: AS_BOB },
    { what: 'a sub claim of another account, given up', asks: { sub: 'bob' }, acts: ['cannot'], seen: WRONG_ACCOUNT },
    {
      what: 'a sub claim of the same account, pairwise',
      app: 'pairwise-app',
      asks: { sub: 'alice' },
      acts: APPROVED,
      seen: { ...CODE, sub: 'alice, pairwise' },
    },
    {
      what: 'a sub claim of another account, pairwise, switched to',
      app: 'pairwise-app',
      asks: { sub: 'bob' },
      acts: BOB,
      seen: { ...AS_BOB, sub: 'bob, pairwise' },
    },
    {
      what: 'a sub claim of another account, pairwise, given up',
      app: 'pairwise-app',
      asks: { sub: 'bob' },
      acts: ['cannot'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'a sub claim and an id_token_hint that contradict each other',
      asks: { sub: 'alice', hint: 'bob' },
      acts: ['cannot'],
      seen: WRONG_ACCOUNT,
    },
    {
      what: 'a sub claim that nobody can have',
      asks: asks({ claims: '{"id_token":{"sub":{"value":null}}}' }),
      acts: ['cannot'],
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
      what: 'ui_locales, the first one that there is',
      asks: asks({ ui_locales: 'tlh-KX zh-CN en' }),
      acts: APPROVED,
      seen: { ...CODE, language: 'zh', lists: '查看您的个人资料（姓名、头像等）' },
    },
    { what: 'ui_locales, none of which there is', asks: asks({ ui_locales: 'tlh' }), acts: APPROVED, seen: CODE },
  ],
};

const ON_PHONE: Seen = { ...CODE, pages: '1 / 2' };
const IMPLIED: Seen = { ...ON_PHONE, lists: '' };
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
      seen: { ...ON_PHONE, granted: 'openid + email', lists: 'see your mail address' },
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
const STILL_BOB: Seen = { ...ERROR, answer: 'access_denied', session: CODE.session, signedIn: 'bob' };

const accountSwitch: Section = {
  title: 'A browser that another account is signed in to',
  columns: ['answer', 'sub', 'signedIn', 'loggedOut', 'pages'],
  rows: [
    {
      what: 'id_token_hint of the account on the phone, the person agrees',
      before: HELD_BY_BOB,
      asks: { hint: 'alice' },
      acts: ['approves', 'agrees to the switch', 'allows'],
      seen: { ...CODE, loggedOut: 'bob' },
    },
    {
      what: 'id_token_hint of the account on the phone, the person declines',
      before: HELD_BY_BOB,
      asks: { hint: 'alice' },
      acts: ['approves', 'declines the switch'],
      seen: STILL_BOB,
    },
    {
      what: 'prompt=login, the person agrees',
      before: HELD_BY_BOB,
      asks: LOGIN,
      acts: ['signs in', 'approves', 'agrees to the switch', 'allows'],
      seen: { ...CODE_AGAIN, loggedOut: 'bob' },
    },
    {
      what: 'prompt=login, the person declines',
      before: HELD_BY_BOB,
      asks: LOGIN,
      acts: ['signs in', 'approves', 'declines the switch'],
      seen: { ...STILL_BOB, told: 'freshness', pages: '1 / 4' },
    },
    {
      what: 'prompt=login, the person denies on the phone',
      before: HELD_BY_BOB,
      asks: LOGIN,
      acts: ['denies'],
      seen: { ...STILL_BOB, told: 'freshness' },
    },
    {
      what: 'id_token_hint, the person agrees, consent on the phone',
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

const ON: Visit = { acts: ['approves, to be remembered', 'allows'] };
const OFF_AGAIN: Visit = { asks: LOGIN, acts: ['signs in', 'approves'] };
const ON_AGAIN: Visit = { asks: LOGIN, acts: ['signs in', 'approves, to be remembered'] };
const KEPT: Seen = { ...CODE_AGAIN, session: 'kept', pages: '1 / 4' };

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
      acts: ['approves, to be remembered', 'agrees to the switch', 'allows'],
      seen: { ...CODE, session: 'kept', loggedOut: 'bob' },
    },
  ],
};

export const TABLE: readonly Section[] = [freshness, acr, account, consent, accountSwitch, remember];

/** The phone of a visit that says nothing of it. */
export const USUAL_PHONE: PhoneSession = NEW;
