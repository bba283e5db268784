/** Requests of the attacks on limits, and servers that count requests wrongly. */
import type { Context, Middleware } from 'koa';
import { type AddressAct, RateLimits, TooManyRequests } from '../../../src/http/request/rate-limits.ts';
import { LocalRateLimit } from '../../../src/stores/rate-limit.ts';
import type { Answer } from '../../support/agent.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { inFront, replacing, type Weakness } from '../attack.ts';
import type { TextFields } from '../meeting.ts';

/** One request more than the default limit of most acts for a minute. */
const OVER_DEFAULT = 121;
/** One request more than the default limit of the act `watch`. */
export const OVER_DEFAULT_WATCHES = 601;
const BATCH_SIZE = 20;

/** A limit that is reached after a few requests. */
export const SMALL_LIMIT = 6;
export const smallLimits: WorldOptions = {
  qrLogin: {
    limits: {
      address: {
        show: SMALL_LIMIT,
        watch: SMALL_LIMIT,
        finish: SMALL_LIMIT,
        scan: SMALL_LIMIT,
        shortCode: SMALL_LIMIT,
        decide: SMALL_LIMIT,
      },
      account: { scan: SMALL_LIMIT, decide: SMALL_LIMIT },
    },
  },
};
export const smallLimitsBehindProxy: WorldOptions = { ...smallLimits, proxy: true };

export const UNKNOWN_INTERACTION: string = 'A'.repeat(21);
export const UNKNOWN_TICKET: string = 'A'.repeat(24);

export type Send = (headers?: TextFields) => Promise<Answer>;

/**
 * Returns a request for each act that has a limit by address. None of them needs a session. Two acts are left out:
 * `start`, which counts only requests whose answer is an interaction, and `request`, which counts requests of clients.
 */
export function requestsByAct(site: Site): Readonly<Record<Exclude<AddressAct, 'start' | 'request'>, Send>> {
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

/** Sends up to `most` requests until the server answers 429. @returns true if it did */
export async function sendUntilLimited(send: () => Promise<Answer>, most: number = OVER_DEFAULT): Promise<boolean> {
  for (let sent = 0; sent < most; sent += BATCH_SIZE) {
    const answers = await Promise.all(Array.from({ length: BATCH_SIZE }, () => send()));
    if (answers.some(isLimited)) return true;
  }
  return false;
}

/** Uses a limit up. @throws Error if the server has no such limit, because then there is nothing to evade */
export async function useUpLimit(send: () => Promise<Answer>): Promise<void> {
  if (!(await sendUntilLimited(send))) throw new Error('there is no limit here');
}

/**
 * Returns a description of the first answer other than a 429 while the limit is used up; undefined if there is none.
 */
export function gainIn(answers: readonly Answer[]): string | undefined {
  const served = answers.find((answer) => !isLimited(answer));
  return served && `${served.status} ${served.text}`;
}

/** A server that counts requests by a key other than their address. @param name the defence that it lacks */
export function keyInsteadOf(name: string, keyOf: (ctx: Context) => string): Weakness {
  const patch = replacing(RateLimits.prototype, 'byAddress', () => () => {
    const limit = new LocalRateLimit({ times: SMALL_LIMIT, within: 60 });
    return ({ ctx }) => {
      const wait = limit.take(keyOf(ctx));
      if (wait !== undefined) throw new TooManyRequests(wait);
    };
  });
  return { defence: name, patch };
}

/** A server that counts a request only after it has handled the request successfully. */
export const countedAfterwards: Weakness = {
  defence: 'counting before the request is handled',
  patch: replacing(RateLimits.prototype, 'byAddress', () => () => () => undefined),
  options: inFront(countAfterwards()),
};

function countAfterwards(): Middleware {
  const limit = new LocalRateLimit({ times: SMALL_LIMIT, within: 60 });
  return async (ctx, next) => {
    await next();
    if (ctx.status < 400 && limit.take(ctx.ip) !== undefined) ctx.status = 429;
  };
}
