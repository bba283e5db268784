import type { Context } from 'koa';
import { readable } from '../../oidc/parameters.ts';
import { within } from '../../stores/access.ts';
import type { Device } from '../../ticket/risk.ts';
import type { Place } from '../../ticket/ticket.ts';
import { addressOf, userAgentOf } from './client-info.ts';

/** Tells where a network address is: from a database of the deployment's, for example. Undefined where that is not known. */
export type Locate = (address: string) => Place | undefined | Promise<Place | undefined>;

/** A place is a hint: nobody waits longer for it, in milliseconds. */
const PATIENCE = 500;

/** What can be told of the devices that send requests. */
export class Devices {
  readonly #locate: Locate;
  /** Whether it was told already that there are no places; once, until there are some again. */
  #isTold = false;

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  async of(ctx: Context): Promise<Device> {
    const address = addressOf(ctx);
    const userAgent = userAgentOf(ctx);
    const place = address === undefined ? undefined : await this.#located(address);
    return {
      ...(address !== undefined && { address }),
      ...(place !== undefined && { place }),
      ...(userAgent !== undefined && { userAgent }),
    };
  }

  /** Whoever cannot be placed may sign in all the same. */
  async #located(address: string): Promise<Place | undefined> {
    try {
      const place = shown(await within(Promise.resolve(this.#locate(address)), PATIENCE));
      this.#isTold = false;
      return place;
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #warn(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    process.emitWarning(`locate() gives no place: ${error}`, { type: 'QrLoginWarning', code: 'QR_LOGIN_LOCATE' });
  }
}

/** What can be shown of it. */
function shown(place: Place | undefined): Place | undefined {
  const country = place?.country !== undefined && /^[A-Z]{2}$/.test(place.country) ? place.country : undefined;
  const city = place?.city && readable(place.city);
  if (country === undefined && !city) return undefined;
  return { ...(country !== undefined && { country }), ...(city && { city }) };
}
