import * as v from 'valibot';
import type { FindHintedAccount } from '../http/actions/client-actions.ts';
import { findSigningKey, type SigningKeys } from '../oidc/actions/signed-result.ts';
import { formatValue, strictObject } from './strict-object.ts';

/** The option `actions`. */
export interface ActionOptions {
  /**
   * The client ids of the clients that may ask for actions.
   * @default each client that was granted the scope `qr_action`
   */
  readonly clients?: readonly string[] | undefined;
  /**
   * The provider's own `jwks`, with its private keys. The first key that can sign is used to sign the results.
   * @default results are not signed
   */
  readonly jwks?: SigningKeys | undefined;
  /**
   * Returns the account that a client names by a `login_hint`, or `undefined` if it names none.
   * @default a `login_hint` is refused
   */
  readonly findAccount?: FindHintedAccount | undefined;
}

const CLIENTS = 'actions.clients must be a list of client ids, for example ["my-shop"]';
const JWKS = 'actions.jwks must be the jwks of your provider, { keys: [...] }, with a private key to sign with';
const FIND_ACCOUNT = 'actions.findAccount must be a function, for example (loginHint) => accounts.idOf(loginHint)';

function canSign(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) return false;
  return findSigningKey({ keys: value.keys }) !== undefined;
}

/** The schema of the option `actions`. */
export const ACTIONS: v.GenericSchema<ActionOptions> = strictObject(
  {
    clients: v.optional(v.array(v.pipe(v.string(CLIENTS), v.minLength(1, CLIENTS)), CLIENTS)),
    jwks: v.optional(v.custom<SigningKeys>(canSign, JWKS)),
    findAccount: v.optional(v.custom<FindHintedAccount>((value) => typeof value === 'function', FIND_ACCOUNT)),
  },
  {
    kind: 'member of actions',
    otherwise: (value) => `actions must be an object such as { clients: ["my-shop"] }, not ${formatValue(value)}`,
  },
);
