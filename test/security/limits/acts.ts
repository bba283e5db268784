/** Requests of the attacks on limits, and servers that count requests wrongly. */
import type { Context, Middleware } from 'koa';
import { type AddressAct, RateLimits, TooManyRequests } from '../../../src/http/request/rate-limits.ts';
import { LocalRateLimit } from '../../../src/stores/rate-limit.ts';
import type { Answer } from '../../support/agent.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { inFront, replacing, type Weakness } from '../attack.ts';
import type { Sent } from '../meeting.ts';

/** One more than a server with the default limits lets through in a minute. */
const MOST = 121;
export const MOST_WATCHING = 601;
const AT_ONCE = 20;

/** The limit of most of these servers, for each act: so small that it is soon reached. */
export const FEW = 6;
export const few: WorldOptions = {
  qrLogin: {
    limits: {
      address: { show: FEW, watch: FEW, finish: FEW, scan: FEW, shortCode: FEW, decide: FEW },
      account: { scan: FEW, decide: FEW },
    },
  },
};
export const behindProxy: WorldOptions = { ...few, proxy: true };

export const UNKNOWN_INTERACTION: string = 'A'.repeat(21);
export const UNKNOWN_TICKET: string = 'A'.repeat(24);

export type Send = (headers?: Sent) => Promise<Answer>;

/**
 * Returns a request for each limit by address, but for that of starts, which counts only what was answered with an
 * interaction. None of them needs a session.
 */
export function acts(site: Site): Readonly<Record<Exclude<AddressAct, 'start'>, Send>> {
  const { agent } = new PhoneVisitor(site);
  const interaction = `${site.issuer}/interaction/${UNKNOWN_INTERACTION}`;
  const get =
    (url: string): Send =>
    (headers = {}) =>
      agent.get(url, { headers: { accept: 'application/json', ...headers } });
  return {
    show: get(interaction),
    watch: get(`${interaction}/qr`),
    finish: (headers = {}) => agent.post(`${interaction}/qr/finish`, { json: {}, headers }),
    scan: get(`${site.issuer}/qr/${UNKNOWN_CODE}`),
    shortCode: (headers = {}) => agent.post(`${site.issuer}/qr/scan`, { json: {}, headers }),
    decide: get(`${site.issuer}/qr/tickets/${UNKNOWN_TICKET}`),
  };
}

export function isLimited({ status }: Answer): boolean {
  return status === 429;
}

/** Sends until the server answers 429. @returns true if it did */
export async function sendUntilLimited(send: () => Promise<Answer>, most: number = MOST): Promise<boolean> {
  for (let sent = 0; sent < most; sent += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send()));
    if (answers.some(isLimited)) return true;
  }
  return false;
}

/** Uses a limit up. @throws if there is no limit to evade */
export async function useUp(send: () => Promise<Answer>): Promise<void> {
  if (!(await sendUntilLimited(send))) throw new Error('there is no limit here');
}

/** Returns the first answer that is not a 429, although the limit is used up. */
export function passed(answers: readonly Answer[]): string | undefined {
  const past = answers.find((answer) => !isLimited(answer));
  return past && `${past.status} ${past.text}`;
}

/** A server that counts requests by something other than their address. */
export function countingBy(name: string, who: (ctx: Context) => string): Weakness {
  const patch = replacing(RateLimits.prototype, 'byAddress', () => () => {
    const limit = new LocalRateLimit({ times: FEW, within: 60 });
    return ({ ctx }) => {
      const wait = limit.take(who(ctx));
      if (wait !== undefined) throw new TooManyRequests(wait);
    };
  });
  return { name, patch };
}

/** A server that counts only requests that it has already handled with success. */
export const countingAfterwards: Weakness = {
  name: 'counting before the request is handled',
  patch: replacing(RateLimits.prototype, 'byAddress', () => () => () => undefined),
  options: inFront(countAfterwards()),
};

function countAfterwards(): Middleware {
  const limit = new LocalRateLimit({ times: FEW, within: 60 });
  return async (ctx, next) => {
    await next();
    if (ctx.status < 400 && limit.take(ctx.ip) !== undefined) ctx.status = 429;
  };
}
