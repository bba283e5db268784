import type { Account, Assurance, Assure, FindAccount } from '../../oidc/approver.ts';
import type { ConsentMode } from '../../oidc/request/request.ts';
import type { Assess, Verdict } from '../../ticket/risk.ts';
import type { FindHintedAccount } from '../actions/client-actions.ts';
import type { FindNamedAccount, VerifyUserCode } from '../requests/backchannel-hooks.ts';
import type { AssureApp, OnDecision } from './app-hooks.ts';
import {
  type ApproveGuard,
  type Challenge,
  type PasskeyOwner,
  type PasskeySignIn,
  type Proof,
  ProofRefused,
} from './approve-guard.ts';
import type { BrowserPasskey, BrowserPasskeys, CreationOptions } from './browser-passkeys.ts';
import { callHook, type Hook } from './call-hook.ts';
import type { ConsentPolicy, EnrolmentRule, LoginPage, OtherWay, OtherWays, OwnPage, SignIn } from './hooks.ts';

/** The functions of a deployment that requests wait for. */
export interface Hooks {
  readonly findAccount: FindAccount;
  readonly signIn: SignIn;
  readonly loginPage: LoginPage;
  readonly otherWays: OtherWays;
  readonly assess: Assess;
  readonly consent: ConsentPolicy;
  readonly assurance: Assure;
  readonly assureApp: AssureApp;
  readonly onDecision: OnDecision;
  readonly actions: { readonly findAccount?: FindHintedAccount | undefined };
  readonly ciba: {
    readonly findAccount?: FindNamedAccount | undefined;
    readonly findAccountByToken?: FindNamedAccount | undefined;
    readonly verifyUserCode?: VerifyUserCode | undefined;
  };
  readonly enrolled?: EnrolmentRule | undefined;
  readonly guard?: ApproveGuard | undefined;
  readonly passkeySignIn?: PasskeySignIn | undefined;
  readonly browserPasskeys?: BrowserPasskeys | undefined;
}

/**
 * Returns the same functions, each with a deadline and a check of its result ({@link callHook}). The plugin calls no
 * function of the deployment in another way, except `locate`, `clientLogo`, `onSignIn` and `notify`, which no request
 * depends on.
 * @param patienceMs the longest time that each may take, in milliseconds
 */
export function makeCheckedHooks<H extends Hooks>(hooks: H, patienceMs: number): Hooks & Pick<H, 'actions'> {
  const { enrolled, guard, passkeySignIn, browserPasskeys, actions, ciba } = hooks;
  const { findAccount: findHinted } = actions;
  const checked =
    <Arguments extends unknown[], Result>(
      hook: Hook<Result>,
      call: (...given: Arguments) => unknown,
    ): ((...given: Arguments) => Promise<Result>) =>
    (...given) =>
      callHook(hook, patienceMs, () => call(...given));
  const consent = checked(CONSENT, hooks.consent);
  const assurance = checked(ASSURANCE, hooks.assurance);
  return {
    findAccount: checked(FIND_ACCOUNT, hooks.findAccount),
    signIn: checked(SIGN_IN, hooks.signIn),
    loginPage: checked(LOGIN_PAGE, hooks.loginPage),
    otherWays: checked(OTHER_WAYS, hooks.otherWays),
    assess: checked(ASSESS, hooks.assess),
    consent: async (ctx, interaction) => (await consent(ctx, interaction)) ?? 'browser',
    assurance: async (onPhone, accountId) => (await assurance(onPhone, accountId)) ?? {},
    assureApp: checked(ASSURE_APP, hooks.assureApp),
    onDecision: checked(ON_DECISION, hooks.onDecision),
    actions: { ...actions, findAccount: findHinted && checked(FIND_HINTED, findHinted) },
    ciba: {
      findAccount: ciba.findAccount && checked(FIND_NAMED, ciba.findAccount),
      findAccountByToken: ciba.findAccountByToken && checked(FIND_BY_TOKEN, ciba.findAccountByToken),
      verifyUserCode: ciba.verifyUserCode && checked(VERIFY_USER_CODE, ciba.verifyUserCode),
    },
    enrolled: enrolled && checked(ENROLLED, enrolled),
    guard: guard && {
      challenge: checked(CHALLENGE, (wanted) => guard.challenge(wanted)),
      verify: checked(VERIFY, (wanted, answer) => guard.verify(wanted, answer)),
    },
    passkeySignIn: passkeySignIn && {
      options: checked(PASSKEY_OPTIONS, (nonce) => passkeySignIn.options(nonce)),
      verify: checked(VERIFY_PASSKEY, (nonces, answer) => passkeySignIn.verify(nonces, answer)),
    },
    browserPasskeys: browserPasskeys && {
      options: checked(CREATION_OPTIONS, (accountId, userName) => browserPasskeys.options(accountId, userName)),
      add: checked(ADD_PASSKEY, (ctx, approved, answer) => browserPasskeys.add(ctx, approved, answer)),
      list: checked(LIST_PASSKEYS, (accountId) => browserPasskeys.list(accountId)),
      remove: checked(REMOVE_PASSKEY, (accountId, id) => browserPasskeys.remove(accountId, id)),
    },
  };
}

const FIND_ACCOUNT: Hook<Account | undefined> = {
  name: 'findAccount',
  returns: '{ name } with a text, or undefined',
  isResult: (value): value is Account | undefined => value === undefined || isText(membersOf(value).name),
};

const SIGN_IN: Hook<string | undefined> = {
  name: 'signIn',
  returns: 'a URL or path, or undefined',
  isResult: (value): value is string | undefined => value === undefined || (isText(value) && value !== ''),
};

const LOGIN_PAGE: Hook<OwnPage | undefined> = {
  name: 'loginPage',
  returns: '{ path } with letters, digits, "-" and "_", or undefined',
  isResult: (value): value is OwnPage | undefined => value === undefined || isOwnPage(value),
};

const OTHER_WAYS: Hook<readonly OtherWay[]> = {
  name: 'otherWays',
  returns: 'a list of { path, label }; a path has letters, digits, "-" and "_"',
  isResult: (value): value is readonly OtherWay[] =>
    Array.isArray(value) && value.every((way: unknown) => isOwnPage(way) && isText(membersOf(way).label)),
};

const ASSESS: Hook<Verdict> = {
  name: 'assess',
  returns: '"allow", "check code" or "deny"',
  isResult: (value): value is Verdict => value === 'allow' || value === 'check code' || value === 'deny',
};

const CONSENT: Hook<ConsentMode | undefined> = {
  name: 'consent',
  returns: '"browser", "phone" or "implied"',
  isResult: (value): value is ConsentMode | undefined =>
    value === undefined || value === 'browser' || value === 'phone' || value === 'implied',
};

const ASSURANCE: Hook<Assurance | undefined> = {
  name: 'assurance',
  returns: '{ acr, amr } with a text and a list of texts, each if there is one',
  isResult: (value): value is Assurance | undefined => {
    const { acr, amr } = membersOf(value);
    return value === undefined || (isObject(value) && isMissingOr(isText, acr) && isMissingOr(isTexts, amr));
  },
};

const ASSURE_APP: Hook<boolean> = {
  name: 'assureApp',
  returns: 'true or false',
  isResult: (value): value is boolean => typeof value === 'boolean',
};

const ENROLLED: Hook<boolean> = {
  name: 'enrolled',
  returns: 'true or false',
  isResult: (value): value is boolean => typeof value === 'boolean',
};

/** Accepts any result, because the function that keeps a record may return one. */
const ON_DECISION: Hook<void> = {
  name: 'onDecision',
  returns: 'nothing',
  isResult: (_value): _value is undefined => true,
};

const FIND_HINTED: Hook<string | undefined> = {
  name: 'actions.findAccount',
  returns: 'an account id, or undefined',
  isResult: (value): value is string | undefined => value === undefined || (isText(value) && value !== ''),
};

const FIND_NAMED: Hook<string | undefined> = { ...FIND_HINTED, name: 'ciba.findAccount' };
const FIND_BY_TOKEN: Hook<string | undefined> = { ...FIND_HINTED, name: 'ciba.findAccountByToken' };

const VERIFY_USER_CODE: Hook<boolean> = {
  name: 'ciba.verifyUserCode',
  returns: 'true or false',
  isResult: (value): value is boolean => typeof value === 'boolean',
};

const CHALLENGE: Hook<Challenge | undefined> = {
  name: 'guard.challenge',
  returns: '{ question }, { passkey }, { unavailable: true } or undefined',
  isResult: (value): value is Challenge | undefined => {
    const { question, passkey, unavailable } = membersOf(value);
    return value === undefined || isText(question) || isObject(passkey) || unavailable === true;
  },
};

const VERIFY: Hook<Proof> = {
  name: 'guard.verify',
  returns: '{ amr } with a list of texts',
  isResult: (value): value is Proof => isTexts(membersOf(value).amr),
  mayThrow: (error) => error instanceof ProofRefused,
};

const PASSKEY_OPTIONS: Hook<object> = {
  name: 'passkeySignIn.options',
  returns: 'an object',
  isResult: isObject,
};

const VERIFY_PASSKEY: Hook<PasskeyOwner> = {
  name: 'passkeySignIn.verify',
  returns: '{ accountId, amr, acr } with a text, a list of texts and, if there is one, a text',
  isResult: (value): value is PasskeyOwner => {
    const { accountId, amr, acr } = membersOf(value);
    return isText(accountId) && isTexts(amr) && isMissingOr(isText, acr);
  },
  mayThrow: (error) => error instanceof ProofRefused,
};

const CREATION_OPTIONS: Hook<CreationOptions> = {
  name: 'browserPasskeys.options',
  returns: 'an object with a challenge',
  isResult: (value): value is CreationOptions => isText(membersOf(value).challenge),
};

const ADD_PASSKEY: Hook<void> = {
  name: 'browserPasskeys.add',
  returns: 'nothing',
  isResult: (_value): _value is undefined => true,
  mayThrow: (error) => error instanceof ProofRefused,
};

const LIST_PASSKEYS: Hook<readonly BrowserPasskey[]> = {
  name: 'browserPasskeys.list',
  returns: 'a list of passkeys with their browsers',
  isResult: (value): value is readonly BrowserPasskey[] =>
    Array.isArray(value) &&
    value.every((passkey: unknown) => {
      const { id, browser } = membersOf(passkey);
      const { addedAt, session, knownAs } = membersOf(browser);
      return isText(id) && typeof addedAt === 'number' && isText(session) && isText(knownAs);
    }),
};

const REMOVE_PASSKEY: Hook<void> = {
  name: 'browserPasskeys.remove',
  returns: 'nothing',
  isResult: (_value): _value is undefined => true,
};

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a value with members of unknown types; an empty object for a value without members. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isMissingOr(is: (value: unknown) => boolean, value: unknown): boolean {
  return value === undefined || is(value);
}

function isOwnPage(value: unknown): value is OwnPage {
  const { path } = membersOf(value);
  return isText(path) && /^[\w-]+$/.test(path);
}
