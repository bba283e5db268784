/** The setting that an attack needs, in the form of data, so that the attack can be tried on a running example. */
import type { ClientMetadata } from 'oidc-provider';
import type { Setting } from '../../examples/everything.ts';
import type { Features } from '../../examples/features.ts';
import { type Account, assessByDefault, type Place, type QrLoginOptions, type Verdict } from '../../src/index.ts';
import { phoneApp } from '../fixtures/phone-app.ts';
import type { WorldOptions } from '../support/world.ts';
import type { Attack } from './attack.ts';

export interface LiveSetting {
  readonly setting: Setting;
  /** The RPs that the attack needs besides the usual one. */
  readonly clients: readonly ClientMetadata[];
}

/**
 * The options that can be described as data. `extend` is ignored, because it only silences a server or lets its
 * requests wait for each other.
 */
const DESCRIBED = ['passkeys', 'proxy', 'maxIpsCount', 'clients', 'qrLogin', 'configuration', 'extend'];
const DESCRIBED_OPTIONS = ['shortCode', 'limits', 'assess', 'locate', 'findAccount', 'apps'];

/** Returns the setting that the attack needs, or undefined if only a server in this process can have it. */
export function settingFor({ on = {} }: Attack): LiveSetting | undefined {
  const { passkeys, proxy, maxIpsCount, clients = [], qrLogin = {} } = on;
  if (!hasOnly(on, DESCRIBED) || !hasOnly(qrLogin, DESCRIBED_OPTIONS) || !isOfExample(on.configuration)) {
    return undefined;
  }
  const { shortCode, limits, assess = () => 'allow', locate, findAccount, apps } = qrLogin;
  const { scopes, claims, ttl } = (on.configuration ?? {}) as Pick<Setting, 'scopes' | 'claims' | 'ttl'>;
  const verdict = verdictOf(assess);
  const place = locate === undefined ? {} : constantOf<Place>(locate);
  const account = findAccount === undefined ? { name: undefined } : constantOf<Account>(findAccount);
  if (verdict === undefined || place === undefined || account === undefined) return undefined;
  const setting = present({
    ...{ passkeys, proxy, maxIpsCount, shortCode, scopes, claims, ttl, apps },
    limits: limits === false ? undefined : limits,
    place: locate && place,
    accountName: account.name,
    assess: verdict,
  });
  // The provider of the tests always has this app.
  return { setting, clients: apps === undefined ? clients : [...clients, phoneApp()] };
}

/**
 * Returns true if a server with these features has the setting. In a known browser, the default assessment has the same
 * result as an assessment that allows each sign-in. Attacks that register passkeys need a separate server, because the
 * passkeys would stay and affect later attacks.
 */
export function isMetBy({ proxy, shortCode }: Features, { setting, clients }: LiveSetting): boolean {
  const isSame = (has: boolean, needs: boolean | undefined): boolean => needs === undefined || has === needs;
  const { assess, proxy: _proxy, shortCode: _shortCode, ...others } = setting;
  if (assess !== 'allow' || clients.length > 0 || Object.keys(others).length > 0) return false;
  return isSame(proxy, setting.proxy) && isSame(shortCode, setting.shortCode);
}

type Unset<T> = { readonly [Name in keyof T]: T[Name] | undefined };

/** Returns the object without its undefined members. */
function present(setting: Unset<Setting>): Setting {
  return Object.fromEntries(Object.entries(setting).filter(([, value]) => value !== undefined));
}

function verdictOf(assess: NonNullable<QrLoginOptions['assess']>): Setting['assess'] | undefined {
  return assess === assessByDefault ? 'by default' : constantOf<Verdict>(assess);
}

/** Returns the result of a function without parameters, which is the same for every sign-in. */
function constantOf<T>(option: (...about: never[]) => unknown): T | undefined {
  return option.length === 0 ? ((option as () => unknown)() as T) : undefined;
}

function hasOnly(object: object, names: readonly string[]): boolean {
  return Object.keys(object).every((name) => names.includes(name));
}

/** Returns true if the example can be configured like this. Its RPs may demand claims anyway. */
function isOfExample(configuration: WorldOptions['configuration'] = {}): boolean {
  const { features = {}, ...more } = configuration;
  return hasOnly(more, ['scopes', 'claims', 'ttl']) && hasOnly(features, ['devInteractions', 'claimsParameter']);
}
