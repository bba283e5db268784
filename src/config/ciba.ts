import * as v from 'valibot';
import type { FindNamedAccount, VerifyUserCode } from '../http/requests/backchannel-hooks.ts';
import { formatValue, strictObject } from './strict-object.ts';

/** The option `ciba`. */
export interface CibaOptions {
  /**
   * Returns the account that a client names by a `login_hint`, or `undefined` if it names none.
   * @default a `login_hint` names no account
   */
  readonly findAccount?: FindNamedAccount | undefined;
  /**
   * Does the same for a `login_hint_token`. The function must verify the token, because oidc-provider does not.
   * @default a `login_hint_token` names no account
   */
  readonly findAccountByToken?: FindNamedAccount | undefined;
  /**
   * Returns true if this is the user's `user_code`, a secret by which the user lets clients ask. The function must
   * limit the wrong tries.
   * @default users have no code, and the `user_code` of a request is ignored
   */
  readonly verifyUserCode?: VerifyUserCode | undefined;
}

const FIND_ACCOUNT = 'ciba.findAccount must be a function, for example (loginHint) => accounts.idOf(loginHint)';
const BY_TOKEN = 'ciba.findAccountByToken must be a function, for example (token) => accounts.idIn(token)';
const USER_CODE =
  'ciba.verifyUserCode must be a function, for example (accountId, code) => codes.isRight(accountId, code)';

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** The schema of the option `ciba`. */
export const CIBA: v.GenericSchema<CibaOptions> = strictObject(
  {
    findAccount: v.optional(v.custom<FindNamedAccount>(isFunction, FIND_ACCOUNT)),
    findAccountByToken: v.optional(v.custom<FindNamedAccount>(isFunction, BY_TOKEN)),
    verifyUserCode: v.optional(v.custom<VerifyUserCode>(isFunction, USER_CODE)),
  },
  {
    kind: 'member of ciba',
    otherwise: (value) =>
      `ciba must be an object such as { findAccount: (loginHint) => accounts.idOf(loginHint) }, not ${formatValue(value)}`,
  },
);
