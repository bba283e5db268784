import { callHook, HOOK_PATIENCE_MS, type Hook } from './http/hooks/call-hook.ts';
import type { Passkey, PasskeyOptions } from './passkeys.ts';

/** The deployment's functions over its records of passkeys, each with a deadline and a check of its result. */
export interface PasskeyRecords {
  readonly ofAccount: (accountId: string) => Promise<readonly Passkey[]>;
  readonly find: (id: string) => Promise<Passkey | undefined>;
  readonly used: (id: string, counter: number) => Promise<void>;
  /** Stores a passkey. @throws TypeError if the deployment gives no such function */
  readonly add: (passkey: Passkey) => Promise<boolean>;
  /** Removes a passkey. @throws TypeError if the deployment gives no such function */
  readonly remove: (accountId: string, id: string) => Promise<void>;
}

type RecordOptions = Pick<PasskeyOptions, 'ofAccount' | 'find' | 'used' | 'add' | 'remove'>;

/** Wraps the functions of the deployment. */
export function wrapRecords(options: RecordOptions): PasskeyRecords {
  return {
    ofAccount: (accountId) => callHook(OF_ACCOUNT, HOOK_PATIENCE_MS, () => options.ofAccount(accountId)),
    find: (id) => callHook(FIND, HOOK_PATIENCE_MS, () => options.find(id)),
    used: async (id, counter) => {
      await callHook(USED, HOOK_PATIENCE_MS, () => options.used(id, counter));
    },
    add: async (passkey) => {
      if (options.add === undefined) throw new TypeError('passkeys() needs the option "add" to register a passkey');
      return callHook(ADD, HOOK_PATIENCE_MS, () => options.add?.(passkey));
    },
    remove: async (accountId, id) => {
      if (options.remove === undefined) throw new TypeError('passkeys() needs the option "remove" to remove a passkey');
      await callHook(REMOVE, HOOK_PATIENCE_MS, () => options.remove?.(accountId, id));
    },
  };
}

const OF_ACCOUNT: Hook<readonly Passkey[]> = {
  name: 'passkeys.ofAccount',
  returns: 'a list of passkeys',
  isResult: (value): value is readonly Passkey[] => Array.isArray(value) && value.every(isPasskey),
};

const FIND: Hook<Passkey | undefined> = {
  name: 'passkeys.find',
  returns: 'a passkey, or undefined',
  isResult: (value): value is Passkey | undefined => value === undefined || isPasskey(value),
};

const USED: Hook<unknown> = {
  name: 'passkeys.used',
  returns: 'anything',
  isResult: (_value): _value is unknown => true,
};

const ADD: Hook<boolean> = {
  name: 'passkeys.add',
  returns: 'true or false',
  isResult: (value): value is boolean => typeof value === 'boolean',
};

const REMOVE: Hook<unknown> = {
  name: 'passkeys.remove',
  returns: 'anything',
  isResult: (_value): _value is unknown => true,
};

function isPasskey(value: unknown): value is Passkey {
  if (typeof value !== 'object' || value === null) return false;
  const { id, accountId }: { id?: unknown; accountId?: unknown } = value;
  return typeof id === 'string' && typeof accountId === 'string';
}
