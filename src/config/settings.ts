import { fileURLToPath } from 'node:url';
import { Keyv } from 'keyv';
import type { ApproveGuard, PasskeySignIn } from '../http/hooks/approve-guard.ts';
import { readViewFolder, type ViewFolder } from '../http/pages/view-folder.ts';
import type { Limits } from '../http/request/rate-limits.ts';
import type { Clock } from '../ticket/ports.ts';
import { assessByDefault } from '../ticket/risk.ts';
import { assertFunction, assertKnown, assertOptionalFunction, checkedHook, milliseconds } from './checks.ts';
import type { QrLoginOptions } from './options.ts';
import { checkedLimits } from './rate-limits.ts';

/** What the deployment decides, by functions of its own. */
type Hook =
  | 'findAccount'
  | 'signIn'
  | 'loginPage'
  | 'otherWays'
  | 'assess'
  | 'locate'
  | 'consent'
  | 'assurance'
  | 'onSignIn';

/** The options with their defaults, in the units that the code works with. */
export interface Settings extends Required<Pick<QrLoginOptions, Hook | (typeof SWITCHES)[number]>> {
  readonly guard: ApproveGuard | undefined;
  readonly passkeySignIn: PasskeySignIn | undefined;
  /** Undefined for none. */
  readonly limits: Limits | undefined;
  readonly store: Keyv;
  readonly secrets: readonly string[] | undefined;
  readonly name: string | undefined;
  readonly views: readonly ViewFolder[];
  /** Milliseconds. */
  readonly lifetimes: { readonly scan: number; readonly decide: number; readonly finish: number };
  /** Milliseconds. */
  readonly rotation: number;
  readonly clock: Clock;
}

/** Off, unless they are on. */
const SWITCHES = ['showAddress', 'shortCode', 'parkStreams'] as const;

const SHORTEST_SECRET = 32;

const OPTIONS = [
  'findAccount',
  'signIn',
  'loginPage',
  'otherWays',
  'assess',
  'locate',
  'limits',
  'guard',
  'passkeySignIn',
  'consent',
  'assurance',
  'onSignIn',
  'store',
  'secrets',
  'name',
  'views',
  'showAddress',
  'shortCode',
  'deadlines',
  'rotation',
  'parkStreams',
  'clock',
] as const satisfies readonly (keyof QrLoginOptions)[];

/** @throws TypeError that says which option is wrong and what to write instead */
export function checkOptions(options: QrLoginOptions): Settings {
  assertTypes(options);
  const { scan = 120, decide = 120, finish = 120 } = options.deadlines ?? {};
  return {
    ...hooksOf(options),
    guard: checkedHook('guard', options.guard, ['challenge', 'verify']),
    passkeySignIn: checkedHook('passkeySignIn', options.passkeySignIn, ['options', 'verify']),
    limits: options.limits === false ? undefined : checkedLimits(options.limits),
    showAddress: options.showAddress ?? false,
    shortCode: options.shortCode ?? false,
    store: checkedStore(options.store ?? new Keyv()),
    secrets: options.secrets === undefined ? undefined : checkedSecrets('secrets', options.secrets),
    name: options.name,
    views: foldersIn(options.views),
    lifetimes: {
      scan: milliseconds('deadlines.scan', scan, 600),
      decide: milliseconds('deadlines.decide', decide, 600),
      finish: milliseconds('deadlines.finish', finish, 600),
    },
    rotation: milliseconds('rotation', options.rotation ?? 10, 60),
    parkStreams: options.parkStreams ?? false,
    clock: options.clock ?? Date.now,
  };
}

function hooksOf(options: QrLoginOptions): Pick<Settings, Hook> {
  return {
    findAccount: options.findAccount,
    signIn: options.signIn,
    loginPage: options.loginPage ?? (() => undefined),
    otherWays: options.otherWays ?? (() => []),
    consent: options.consent ?? (() => 'browser'),
    assess: options.assess ?? assessByDefault,
    locate: options.locate ?? (() => undefined),
    assurance: options.assurance ?? ((onPhone) => onPhone),
    onSignIn: options.onSignIn ?? (() => undefined),
  };
}

function assertTypes(options: QrLoginOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('qrLogin needs options: findAccount, signIn');
  assertFunction('findAccount', options.findAccount, '(accountId) => ({ name: "alice" })');
  assertFunction(
    'signIn',
    options.signIn,
    '(ctx, { returnTo }) => "/sign-in?return_to=" + encodeURIComponent(returnTo)',
  );
  assertOptionalFunction('loginPage', options.loginPage, '(ctx, interaction) => undefined');
  assertOptionalFunction('otherWays', options.otherWays, '() => [{ path: "password", label: "Use a password" }]');
  assertOptionalFunction('consent', options.consent, '() => "phone"');
  assertOptionalFunction('assess', options.assess, '({ browser }) => (browser.known ? "allow" : "check code")');
  assertOptionalFunction('locate', options.locate, '(address) => ({ country: "DE", city: "Berlin" })');
  assertOptionalFunction('assurance', options.assurance, '(onPhone) => onPhone');
  assertOptionalFunction('onSignIn', options.onSignIn, '(ctx, { accountId, browser }) => sendMail(accountId, browser)');
  assertOptionalFunction('clock', options.clock, 'Date.now');
  if (options.name !== undefined && typeof options.name !== 'string') throw new TypeError('name must be a text');
  assertKnown('option', options, OPTIONS);
  if (typeof (options.deadlines ?? {}) !== 'object') throw new TypeError('deadlines must be { scan, decide, finish }');
  assertKnown('deadline', options.deadlines ?? {}, ['scan', 'decide', 'finish']);
  for (const name of SWITCHES) {
    if (typeof (options[name] ?? false) !== 'boolean') throw new TypeError(`${name} must be true or false`);
  }
}

/** @throws TypeError unless each is long enough to sign with */
export function checkedSecrets(name: string, secrets: unknown): string[] {
  const list: unknown[] = Array.isArray(secrets) ? secrets : [];
  const good = list.filter((secret) => typeof secret === 'string' && secret.length >= SHORTEST_SECRET);
  if (good.length === list.length && good.length > 0) return good.map(String);
  throw new TypeError(
    `${name} must be a list of texts with at least ${SHORTEST_SECRET} characters each; make one with: openssl rand -base64 32`,
  );
}

function foldersIn(views: QrLoginOptions['views'] = []): ViewFolder[] {
  const folders = Array.isArray(views) ? views : [views];
  return folders.map((folder) => {
    if (typeof folder === 'string') return readViewFolder(folder);
    if (folder instanceof URL && folder.protocol === 'file:') return readViewFolder(fileURLToPath(folder));
    throw new TypeError('views must be a folder, or a list of folders: new URL("views", import.meta.url)');
  });
}

function checkedStore(store: Keyv): Keyv {
  // Not `instanceof`: there may be a second copy of the package, and its Keyv is as good.
  if (typeof store.get !== 'function' || typeof store.set !== 'function' || !('throwOnErrors' in store)) {
    throw new TypeError('store must be a Keyv: new Keyv()');
  }
  return store;
}
