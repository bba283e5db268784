import type { Context } from 'koa';
import { toReadableText } from '../../oidc/request/readable-text.ts';
import type { Device } from '../../ticket/risk.ts';
import type { Browser, Place } from '../../ticket/ticket.ts';
import { OptionalHook, type OptionalHookFacts } from '../hooks/optional-hook.ts';
import { addressOf, describeUserAgent, sourceOf, userAgentOf } from './client-info.ts';
import type { Cookies } from './cookies.ts';

/**
 * Returns the place of a network address, for example from a database of the deployment; undefined if it is not known.
 */
export type Locate = (address: string) => Place | undefined | Promise<Place | undefined>;

const LOCATE: OptionalHookFacts<Place> = {
  name: 'locate',
  returns: '{ country, city } with texts, or undefined',
  gives: 'place',
  warning: 'QR_LOGIN_LOCATE',
  read: (value) => (isPlace(value) ? value : undefined),
};

function isPlace(value: unknown): value is Place {
  if (typeof value !== 'object' || value === null) return false;
  const { country, city }: { country?: unknown; city?: unknown } = value;
  return [country, city].every((text) => text === undefined || typeof text === 'string');
}

/** Describes the devices that send requests. */
export class DeviceDescriber {
  readonly #locate: Locate;
  readonly #hook = new OptionalHook(LOCATE);

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  /** Describes the device that sent a request: its address and place if they are known, and its user agent. */
  async describe(ctx: Context): Promise<Device> {
    const address = addressOf(ctx);
    const userAgent = userAgentOf(ctx);
    const place = address === undefined ? undefined : await this.#locateAddress(address);
    return {
      ...(address !== undefined && { address }),
      ...(place !== undefined && { place }),
      ...(userAgent !== undefined && { userAgent }),
    };
  }

  /** Returns the place of an address. If `locate` fails there is none, and the sign-in goes on without it. */
  async #locateAddress(address: string): Promise<Place | undefined> {
    return toShowablePlace(await this.#hook.ask(() => this.#locate(address)));
  }
}

/**
 * Describes the browser that shows a ticket.
 * @param binding the fingerprint of the secret in its binding cookie
 */
export async function describeBrowser(
  { devices, cookies }: { readonly devices: DeviceDescriber; readonly cookies: Pick<Cookies, 'memory'> },
  ctx: Context,
  binding: string,
): Promise<Browser> {
  const device = await devices.describe(ctx);
  return {
    binding,
    source: sourceOf(ctx),
    ...device,
    ...describeUserAgent(device.userAgent),
    ...cookies.memory(ctx),
  };
}

/** Returns the parts of a place that a page can show. */
function toShowablePlace(place: Place | undefined): Place | undefined {
  const country = place?.country !== undefined && /^[A-Z]{2}$/.test(place.country) ? place.country : undefined;
  const city = place?.city && toReadableText(place.city);
  if (country === undefined && !city) return undefined;
  return { ...(country !== undefined && { country }), ...(city && { city }) };
}
