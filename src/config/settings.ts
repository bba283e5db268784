import type { Keyv } from 'keyv';
import * as v from 'valibot';
import type { ViewFolder } from '../http/pages/view-folder.ts';
import type { Limits } from '../http/request/rate-limits.ts';
import { assertNothingIsBypassed } from '../stores/redis/client.ts';
import type { MakeStoreEngine } from '../stores/store-engine.ts';
import type { Lifetimes } from '../ticket/transitions.ts';
import type { QrLoginOptions } from './options.ts';
import { listOptions, SCHEMA } from './schema.ts';

/** The options that have another form in the settings. */
type ConvertedOption = 'limits' | 'views' | 'deadlines' | 'rotation' | 'store';
/** Options without a default. */
type OptionWithoutDefault =
  | 'guard'
  | 'passkeySignIn'
  | 'browserPasskeys'
  | 'passkeysUrl'
  | 'durations'
  | 'enrolled'
  | 'secrets'
  | 'name';

/** The options with their defaults, in the units that the code works with. */
export interface Settings extends Required<Omit<QrLoginOptions, ConvertedOption | OptionWithoutDefault>> {
  readonly guard?: QrLoginOptions['guard'] | undefined;
  readonly passkeySignIn?: QrLoginOptions['passkeySignIn'] | undefined;
  readonly browserPasskeys?: QrLoginOptions['browserPasskeys'] | undefined;
  readonly passkeysUrl?: string | undefined;
  readonly enrolled?: QrLoginOptions['enrolled'] | undefined;
  /** Undefined if the user only chooses whether the browser stays signed in when it is closed. */
  readonly durations?: QrLoginOptions['durations'] | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly name?: string | undefined;
  /** Undefined for no limits. */
  readonly limits?: Limits | undefined;
  readonly store: Keyv | MakeStoreEngine;
  readonly views: readonly ViewFolder[];
  /** Milliseconds. */
  readonly deadlines: Lifetimes & {
    /** The time that each function of the deployment may take. */
    readonly hook: number;
  };
  /** Milliseconds. */
  readonly rotation: number;
}

const ENROL_BY_PHONE =
  'enrolByPhone needs the option "enrolled", and a "guard" that asks for passkeys: passkeys({ … }).guard';

/** Checks all options. @throws TypeError that says which option is wrong and what to write instead */
export function checkOptions(options: QrLoginOptions): Settings {
  const settings = check(SCHEMA, isObject(options) ? withEachOption(options) : options);
  if (typeof settings.store !== 'function') assertNothingIsBypassed(settings.store);
  if (settings.enrolByPhone && (settings.enrolled === undefined || settings.guard === undefined))
    throw new TypeError(ENROL_BY_PHONE);
  if (settings.parkStreams && settings.streams === 'plain')
    throw new TypeError(
      'parkStreams does not work with "plain" streams, which keep their socket: leave one option out',
    );
  return settings;
}

/** Copies the options. Each known option is read by its name, because it may be inherited, or a method of a class. */
function withEachOption(options: QrLoginOptions): object {
  const known = Object.keys(listOptions()).map((name) => [name, Reflect.get(options, name)]);
  return { ...options, ...Object.fromEntries(known) };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function check<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown): Output {
  const { issues, output, success } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  throw new TypeError(issues[0].message);
}
