import { fileURLToPath } from 'node:url';
import type { Keyv } from 'keyv';
import * as v from 'valibot';
import type { AssureApp, OnDecision } from '../http/hooks/app-hooks.ts';
import type { ApproveGuard, PasskeySignIn } from '../http/hooks/approve-guard.ts';
import type { BrowserPasskeys } from '../http/hooks/browser-passkeys.ts';
import { HOOK_PATIENCE_MS } from '../http/hooks/call-hook.ts';
import type { ConsentPolicy, EnrolmentRule, LoginPage, OnSignIn, OtherWays, SignIn } from '../http/hooks/hooks.ts';
import type { ClientLogo } from '../http/pages/client-logos.ts';
import { readViewFolder, type ViewFolder } from '../http/pages/view-folder.ts';
import type { Locate } from '../http/request/device.ts';
import type { Notify } from '../http/requests/notifier.ts';
import type { StreamStyle } from '../http/streams/connection.ts';
import type { Assurance, Assure, FindAccount } from '../oidc/approver.ts';
import { isKeyv, isKeyv4, keyvTooOld, makeKeyv } from '../stores/keyv-version.ts';
import type { MakeStoreEngine } from '../stores/store-engine.ts';
import { kindOf } from '../stores/value-kind.ts';
import { type Duration, isDuration } from '../ticket/browsers/duration.ts';
import type { CheckCodeEntry } from '../ticket/change.ts';
import type { Clock } from '../ticket/ports.ts';
import { type Assess, assessByDefault } from '../ticket/risk.ts';
import { ACTIONS } from './actions.ts';
import { APPS } from './apps.ts';
import { CIBA } from './ciba.ts';
import type { QrLoginOptions } from './options.ts';
import { LIMITS } from './rate-limits.ts';
import type { Settings } from './settings.ts';
import { formatValue, strictObject } from './strict-object.ts';

/** The facts about an option that docs/options.md lists. The messages for wrong values are listed there as well. */
export interface OptionFacts {
  /** Markdown. */
  readonly type: string;
  /** Units and ranges; Markdown. */
  readonly unit?: string;
  /** Markdown. */
  readonly default: string;
  /** Examples of wrong values: one for each message that the option has for them. */
  readonly refused: readonly unknown[];
}

const REQUIRED = 'none: it is required';
/** The shortest key to sign with, in characters. */
export const MIN_SECRET_LENGTH = 32;

/** Returns the schema of an option that is a function. @param example the function that the message suggests */
function functionOption<T>(name: string, example: string, facts: OptionFacts): v.GenericSchema<T> {
  const message = `${name} must be a function, for example ${example}`;
  return v.pipe(
    v.custom<T>((value) => typeof value === 'function', message),
    v.metadata({ ...facts }),
  );
}

/** Returns the schema of an option that is an object with functions, such as one that `passkeys()` makes. */
function objectOption<T extends object>(
  name: string,
  methods: readonly (keyof T & string)[],
  facts: OptionFacts,
): v.GenericSchema<T> {
  const hasMethods = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof Reflect.get(value, method) === 'function');
  const message = `${name} must have the functions ${methods.join(' and ')}; passkeys() makes one`;
  return v.pipe(v.custom<T>(hasMethods, message), v.metadata({ ...facts }));
}

const PASSKEYS_URL = 'passkeysUrl must be a path or an address of yours, for example "/account/passkeys"';

/** Returns the schema of a switch, which is off by default. */
function flag(name: string): v.OptionalSchema<v.GenericSchema<boolean>, false> {
  const facts: OptionFacts = { type: '`boolean`', default: '`false`', refused: ['yes'] };
  return v.optional(v.pipe(v.boolean(`${name} must be true or false`), v.metadata({ ...facts })), false);
}

/** Returns the schema of a number of seconds, at least 1. The settings have it in milliseconds. */
function secondsToMs(name: string, max: number): v.GenericSchema<number> {
  const message = ({ input }: v.BaseIssue<unknown>): string =>
    `${name} must be a number of seconds from 1 to ${max}, not ${formatValue(input)}`;
  return v.pipe(
    v.number(message),
    v.minValue(1, message),
    v.maxValue(max, message),
    v.transform((given) => given * 1000),
  );
}

/** Returns the schema of a list of keys to sign with. */
function secretList(): v.GenericSchema<string[]> {
  const message = `secrets must be a list of texts with at least ${MIN_SECRET_LENGTH} characters each; make one with: openssl rand -base64 32`;
  const secret = v.pipe(v.string(message), v.minLength(MIN_SECRET_LENGTH, message));
  return v.pipe(v.array(secret, message), v.minLength(1, message));
}

/** The most durations that a phone can show at a glance. */
const MOST_DURATIONS = 6;

function isListOfDurations(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_DURATIONS) return false;
  return value.every(isDuration) && new Set(value).size === value.length;
}

function readViews(views: NonNullable<QrLoginOptions['views']>): ViewFolder[] {
  const folders = Array.isArray(views) ? views : [views];
  return folders.map((folder) => readViewFolder(folder instanceof URL ? fileURLToPath(folder) : folder));
}

function isFolder(value: unknown): boolean {
  return typeof value === 'string' || (value instanceof URL && value.protocol === 'file:');
}

const DEADLINES = {
  scan: v.optional(secondsToMs('deadlines.scan', 600), 120),
  decide: v.optional(secondsToMs('deadlines.decide', 600), 120),
  finish: v.optional(secondsToMs('deadlines.finish', 600), 120),
  signIn: v.optional(secondsToMs('deadlines.signIn', 600), 300),
  hook: v.optional(secondsToMs('deadlines.hook', 60), HOOK_PATIENCE_MS / 1000),
};

const NO_LIMITS = v.pipe(
  v.literal(false),
  v.transform(() => undefined),
);

/** Every option: its check, its message, its default, and its facts for the documentation. */
const OPTIONS = {
  findAccount: functionOption<FindAccount>('findAccount', '(accountId) => ({ name: "alice" })', {
    type: '`(accountId: string) => { name: string } | undefined`',
    default: REQUIRED,
    refused: ['alice'],
  }),
  signIn: functionOption<SignIn>(
    'signIn',
    '(ctx, { returnTo }) => "/sign-in?return_to=" + encodeURIComponent(returnTo)',
    {
      type: '`(ctx, { returnTo, fresh, accountId, loginHint, acrValues }) => string | undefined`',
      default: REQUIRED,
      refused: ['/sign-in'],
    },
  ),
  loginPage: v.optional(
    functionOption<LoginPage>('loginPage', '(ctx, interaction) => undefined', {
      type: '`(ctx, interaction) => { path: string } | undefined`',
      default: 'the QR page, always',
      refused: ['password'],
    }),
    () => () => undefined,
  ),
  otherWays: v.optional(
    functionOption<OtherWays>('otherWays', '() => [{ path: "password", label: "Use a password" }]', {
      type: '`(ctx, interaction, t) => readonly { path: string; label: string }[]`',
      default: 'none',
      refused: [[]],
    }),
    () => () => [],
  ),
  assess: v.optional(
    functionOption<Assess>('assess', '({ browser }) => (browser.known ? "allow" : "check code")', {
      type: "`(context: RiskContext) => 'allow' | 'check code' | 'deny'`",
      default: '`assessByDefault`: the check code, unless this account trusts the browser',
      refused: ['check code'],
    }),
    () => assessByDefault,
  ),
  enrolled: v.optional(
    functionOption<EnrolmentRule>('enrolled', '(client, accountId) => administrators.has(accountId)', {
      type: '`({ id, name, host }, accountId: string) => boolean`',
      default: 'none: a code can be approved for any browser',
      refused: [true],
    }),
  ),
  enrolByPhone: flag('enrolByPhone'),
  locate: v.optional(
    functionOption<Locate>('locate', '(address) => ({ country: "DE", city: "Berlin" })', {
      type: '`(address: string) => { country?: string; city?: string } | undefined`',
      unit: '`country` is two capital letters (ISO 3166-1); other values are left out',
      default: 'no place is known',
      refused: [{ country: 'DE' }],
    }),
    () => () => undefined,
  ),
  limits: v.optional(
    v.pipe(
      v.lazy((given) => (given === false ? NO_LIMITS : LIMITS)),
      v.metadata({
        type: '`{ address?, account? }` of numbers, or `false` for no limits',
        unit:
          'requests a minute, 1 to 1,000,000; `checkCode`: wrong check codes an hour; `consecutiveCheckCodes`: wrong ' +
          'check codes in a row, 1 to 100',
        default: 'see the table below',
        refused: [
          { address: { show: 0 } },
          { account: { consecutiveCheckCodes: 101 } },
          { address: { shwo: 1 } },
          { address: 5 },
          true,
        ],
      } satisfies OptionFacts),
    ),
    {},
  ),
  guard: v.optional(
    objectOption<ApproveGuard>('guard', ['challenge', 'verify'], {
      type: '`ApproveGuard`: `{ challenge(wanted), verify(wanted, answer) }`',
      default: 'none: a tap is enough',
      refused: [{}],
    }),
  ),
  passkeySignIn: v.optional(
    objectOption<PasskeySignIn>('passkeySignIn', ['options', 'verify'], {
      type: '`PasskeySignIn`: `{ options(nonce), verify(nonces, answer) }`',
      default: 'none',
      refused: [{}],
    }),
  ),
  browserPasskeys: v.optional(
    objectOption<BrowserPasskeys>('browserPasskeys', ['options', 'add', 'list', 'remove'], {
      type: '`BrowserPasskeys`: `{ options(accountId, userName), add(ctx, approved, answer), list(accountId), remove(accountId, id) }`',
      default: 'none',
      refused: [{}],
    }),
  ),
  passkeysUrl: v.optional(
    v.pipe(
      v.string(PASSKEYS_URL),
      v.regex(/^(?:\/(?![/\\])|https?:\/\/)\S*$/, PASSKEYS_URL),
      v.metadata({
        type: '`string`',
        unit: 'a path, or an http(s) address',
        default: 'none: the page does not mention passkeys',
        refused: ['javascript:alert(1)'],
      } satisfies OptionFacts),
    ),
  ),
  consent: v.optional(
    functionOption<ConsentPolicy>('consent', '() => "phone"', {
      type: "`(ctx, interaction) => 'browser' | 'phone' | 'implied'`",
      default: "`'browser'`, always",
      refused: ['phone'],
    }),
    () => () => 'browser' as const,
  ),
  assurance: v.optional(
    functionOption<Assure>('assurance', '(onPhone) => onPhone', {
      type: '`({ acr, amr }, accountId) => { acr?, amr? }`',
      default: 'as much as on the phone',
      refused: ['password'],
    }),
    () =>
      (onPhone: Assurance): Assurance =>
        onPhone,
  ),
  durations: v.optional(
    v.pipe(
      v.custom<readonly Duration[]>(
        isListOfDurations,
        'durations must be a list of 1 to 6 different durations, for example ["session", "8h", "30d"]',
      ),
      v.metadata({
        type: "`readonly Duration[]`: `'session'`, hours such as `'8h'`, days such as `'30d'`",
        unit: '`session`: until the browser is closed; 1 hour to 400 days',
        default: 'none: the user only chooses whether the browser stays signed in when it is closed',
        refused: ['8h'],
      } satisfies OptionFacts),
    ),
  ),
  onSignIn: v.optional(
    functionOption<OnSignIn>('onSignIn', '(ctx, { accountId, browser }) => sendMail(accountId, browser)', {
      type: '`(ctx, { accountId, browser, client, at }) => void`',
      default: 'none: sign-ins are not announced',
      refused: ['mail'],
    }),
    () => () => undefined,
  ),
  apps: v.optional(
    v.pipe(
      APPS,
      v.metadata({
        type: '`{ clients?: string[]; name?: string; ios?: string[]; android?: { package, sha256 }[]; scheme?: string }`',
        default: '`{}`: each client that was granted the scope `qr_login`',
        refused: [
          { clients: 'my-app' },
          { name: '' },
          { ios: ['com.example.app'] },
          { android: [{ package: 'com.example.app', sha256: 'AB:CD' }] },
          { scheme: 'https' },
          { client: 'my-app' },
          true,
        ],
      } satisfies OptionFacts),
    ),
    {},
  ),
  actions: v.optional(
    v.pipe(
      ACTIONS,
      v.metadata({
        type: '`{ clients?: string[]; jwks?: { keys: JWK[] }; findAccount?: (loginHint, clientId) => string | undefined }`',
        default: '`{}`: each client that was granted the scope `qr_action`; results are not signed',
        refused: [
          { clients: 'my-shop' },
          { jwks: { keys: [] } },
          { findAccount: 'alice' },
          { client: 'my-shop' },
          true,
        ],
      } satisfies OptionFacts),
    ),
    {},
  ),
  ciba: v.optional(
    v.pipe(
      CIBA,
      v.metadata({
        type: '`{ findAccount?: (loginHint, clientId) => string | undefined; findAccountByToken?: (token, clientId) => string | undefined; verifyUserCode?: (accountId, userCode, clientId) => boolean }`',
        default: '`{}`: a client can name its user by an `id_token_hint` alone; users have no code',
        refused: [
          { findAccount: 'alice' },
          { findAccountByToken: 'alice' },
          { verifyUserCode: '1234' },
          { findUser: () => 'alice' },
          true,
        ],
      } satisfies OptionFacts),
    ),
    {},
  ),
  notify: v.optional(
    functionOption<Notify>('notify', '(accountId, request) => push.send(accountId, request.url)', {
      type: '`(accountId, { id, url, client, expiresIn }) => void`',
      unit: '`expiresIn`: seconds',
      default: 'none: users find requests at `/qr/devices` and in your app',
      refused: ['push'],
    }),
    () => () => undefined,
  ),
  assureApp: v.optional(
    functionOption<AssureApp>('assureApp', '(ctx, { clientId, keyId }) => true', {
      type: '`(ctx, { clientId, keyId, accountId }) => boolean`',
      default: '`true`, always',
      refused: [true],
    }),
    () => () => true,
  ),
  signedDecisions: flag('signedDecisions'),
  onDecision: v.optional(
    functionOption<OnDecision>('onDecision', '(ctx, record) => log.append(record)', {
      type: '`(ctx, record: DecisionRecord) => void`',
      default: 'none: signatures are verified, and not kept',
      refused: ['log'],
    }),
    () => () => undefined,
  ),
  store: v.optional(
    v.pipe(
      v.custom<Keyv | MakeStoreEngine>((store) => !isKeyv4(store), keyvTooOld().message),
      v.custom<Keyv | MakeStoreEngine>(
        (store) => typeof store === 'function' || isKeyv(store),
        ({ input }) =>
          `store must be a Keyv, such as new Keyv() or new Keyv({ store: … }), or a function that makes a store engine, not ${kindOf(input)}`,
      ),
      v.metadata({
        type: 'a [Keyv](https://keyv.org) 5 or 6, or `(clock, callbacks) => StoreEngine`',
        default: '`new Keyv()`, in memory',
        refused: ['redis://localhost', { get: () => 1, set: () => 1, opts: {} }],
      } satisfies OptionFacts),
    ),
    makeKeyv,
  ),
  secrets: v.optional(
    v.pipe(
      secretList(),
      v.metadata({
        type: '`readonly string[]`',
        unit: 'at least 32 characters each',
        default: "the provider's `cookies.keys`",
        refused: [['too short']],
      } satisfies OptionFacts),
    ),
  ),
  name: v.optional(
    v.pipe(
      v.string('name must be a text that is not empty'),
      v.regex(/\S/, 'name must be a text that is not empty'),
      v.metadata({ type: '`string`', default: "the issuer's host", refused: [7] } satisfies OptionFacts),
    ),
  ),
  clientLogo: v.optional(
    functionOption<ClientLogo>('clientLogo', '(clientId) => logos.get(clientId)', {
      type: '`(clientId: string) => string | { type: string; bytes: Uint8Array } | undefined`',
      unit: 'a PNG, JPEG, WebP or SVG picture of 64 KiB at most; a text is a `data:` URL in base64',
      default: "none: the initials of the client's name",
      refused: ['https://app.example.com/logo.png'],
    }),
    () => () => undefined,
  ),
  views: v.optional(
    v.pipe(
      v.custom<NonNullable<QrLoginOptions['views']>>(
        (value) => (Array.isArray(value) ? value.every(isFolder) : isFolder(value)),
        'views must be a folder, or a list of folders: new URL("views", import.meta.url)',
      ),
      v.transform(readViews),
      v.metadata({
        type: '`string | URL | readonly (string | URL)[]`',
        unit: 'a folder; of several, the later one wins',
        default: "none: the plugin's own pages and texts",
        refused: ['/nowhere', 7],
      } satisfies OptionFacts),
    ),
    [],
  ),
  showAddress: flag('showAddress'),
  shortCode: flag('shortCode'),
  checkCodeEntry: v.optional(
    v.pipe(
      v.picklist(['digits', 'tap'] satisfies CheckCodeEntry[], "checkCodeEntry must be 'digits' or 'tap'"),
      v.metadata({ type: "`'digits' | 'tap'`", default: "`'digits'`", refused: ['number'] } satisfies OptionFacts),
    ),
    'digits',
  ),
  qrApprovers: flag('qrApprovers'),
  deadlines: v.optional(
    v.pipe(
      strictObject(DEADLINES, {
        kind: 'deadline',
        otherwise: (value) => `deadlines must be an object such as { scan: 60 }, not ${formatValue(value)}`,
      }),
      v.metadata({
        type: '`{ scan?: number; decide?: number; finish?: number; signIn?: number; hook?: number }`',
        unit: 'seconds, 1 to 600; `hook`: 1 to 60',
        default: '`{ scan: 120, decide: 120, finish: 120, signIn: 300, hook: 5 }`',
        refused: [{ scan: 0 }, { hook: 61 }, 60],
      } satisfies OptionFacts),
    ),
    {},
  ),
  rotation: v.optional(
    v.pipe(
      secondsToMs('rotation', 60),
      v.metadata({ type: '`number`', unit: 'seconds, 1 to 60', default: '`10`', refused: [0] } satisfies OptionFacts),
    ),
    10,
  ),
  streams: v.optional(
    v.pipe(
      v.picklist(['light', 'plain'] satisfies StreamStyle[], "streams must be 'light' or 'plain'"),
      v.metadata({ type: "`'light' | 'plain'`", default: "`'light'`", refused: [true] } satisfies OptionFacts),
    ),
    'light',
  ),
  parkStreams: flag('parkStreams'),
  clock: v.optional(
    functionOption<Clock>('clock', 'Date.now', {
      type: '`() => number`, not `async`',
      unit: 'milliseconds since the epoch',
      default: '`Date.now`',
      refused: [1234],
    }),
    () => Date.now,
  ),
};

/** The options as they are given: `undefined` counts as left out. */
type RawOptions = { [Name in keyof QrLoginOptions]: QrLoginOptions[Name] | undefined };

/** The schema of all options. */
export const SCHEMA: v.GenericSchema<RawOptions, Settings> = strictObject(OPTIONS, {
  kind: 'option',
  otherwise: () => 'qrLogin needs options: findAccount, signIn',
});

/** Returns the facts about each option, in the order of the documentation. */
export function listOptions(): Record<string, OptionFacts> {
  const facts = Object.entries<v.GenericSchema>(OPTIONS).map(([name, schema]) => [
    name,
    v.getMetadata('wrapped' in schema ? (schema.wrapped as v.GenericSchema) : schema),
  ]);
  return Object.fromEntries(facts);
}
