/** The setting that an attack needs, as data, so that it can be tried on a running example. */
import type { ClientMetadata } from 'oidc-provider';
import type { Setting } from '../../examples/everything.ts';
import type { Features } from '../../examples/features.ts';
import { assessByDefault, type Place, type QrLoginOptions, type Verdict } from '../../src/index.ts';
import type { WorldOptions } from '../support/world.ts';
import type { Attack } from './attack.ts';

export interface LiveSetting {
  readonly setting: Setting;
  /** The RPs that the attack needs besides the usual one. */
  readonly clients: readonly ClientMetadata[];
}

/** The options that can be described as data. `extend` only silences a server or lets its requests wait for each other. */
const DESCRIBED = ['passkeys', 'proxy', 'maxIpsCount', 'clients', 'qrLogin', 'configuration', 'extend'];
const DESCRIBED_OPTIONS = ['shortCode', 'limits', 'assess', 'locate'];

/** Returns the setting that the attack needs, or undefined if only a server in this process can have it. */
export function settingFor({ on = {} }: Attack): LiveSetting | undefined {
  const { passkeys, proxy, maxIpsCount, clients = [], qrLogin = {} } = on;
  if (!hasOnly(on, DESCRIBED) || !hasOnly(qrLogin, DESCRIBED_OPTIONS) || !isOfExample(on.configuration)) {
    return undefined;
  }
  const { shortCode, limits, assess = () => 'allow', locate } = qrLogin;
  const verdict = verdictOf(assess);
  const place = locate === undefined ? {} : constantOf<Place>(locate);
  if (verdict === undefined || place === undefined) return undefined;
  const setting: Setting = {
    ...(passkeys !== undefined && { passkeys }),
    ...(proxy !== undefined && { proxy }),
    ...(maxIpsCount !== undefined && { maxIpsCount }),
    ...(shortCode !== undefined && { shortCode }),
    ...(limits !== undefined && limits !== false && { limits }),
    ...(locate !== undefined && { place }),
    assess: verdict,
  };
  return { setting, clients };
}

/**
 * Returns true if a server with these features has the setting. An assessment that allows each sign-in is like the
 * default one in a browser that is known. Passkeys would stay with the accounts, and change what later attacks meet.
 */
export function isMetBy({ proxy, shortCode }: Features, { setting, clients }: LiveSetting): boolean {
  const isSame = (has: boolean, needs: boolean | undefined): boolean => needs === undefined || has === needs;
  const { assess, limits, passkeys = false, place, maxIpsCount } = setting;
  if (assess !== 'allow' || passkeys || clients.length > 0) return false;
  if (limits !== undefined || place !== undefined || maxIpsCount !== undefined) return false;
  return isSame(proxy, setting.proxy) && isSame(shortCode, setting.shortCode);
}

function verdictOf(assess: NonNullable<QrLoginOptions['assess']>): Setting['assess'] | undefined {
  return assess === assessByDefault ? 'by default' : constantOf<Verdict>(assess);
}

/** Returns the result of a function that has no parameters, and so returns the same for every sign-in. */
function constantOf<T>(option: (...about: never[]) => unknown): T | undefined {
  return option.length === 0 ? ((option as () => unknown)() as T) : undefined;
}

function hasOnly(object: object, names: readonly string[]): boolean {
  return Object.keys(object).every((name) => names.includes(name));
}

/** Returns true if the example is configured like this anyway: RPs may demand claims. */
function isOfExample(configuration: WorldOptions['configuration'] = {}): boolean {
  const { features = {}, ...more } = configuration;
  return hasOnly(more, []) && hasOnly(features, ['devInteractions', 'claimsParameter']);
}
