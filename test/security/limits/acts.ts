/** What the attacks on limits send, and how servers count them that do it wrong. */
import type { Context, Middleware } from 'koa';
import { type AddressAct, RateLimits, TooManyRequests } from '../../../src/http/request/rate-limits.ts';
import { LocalRateLimit } from '../../../src/stores/rate-limit.ts';
import type { Answer } from '../../support/agent.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { inFront, replacing, type Weakness } from '../attack.ts';
import type { Sent } from '../meeting.ts';

/** One more than a server with the usual limits lets through in a minute. */
const MOST = 121;
export const MOST_WATCHING = 601;
const AT_ONCE = 20;

/** The limits of most of these servers: so small that they are soon reached. */
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

/** What each limit by address counts, as anybody can send it. */
export function acts(site: Site): Readonly<Record<AddressAct, Send>> {
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

/** Sends until somebody says that it is too often. @returns whether somebody did */
export async function sendUntilLimited(send: () => Promise<Answer>, most: number = MOST): Promise<boolean> {
  for (let sent = 0; sent < most; sent += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send()));
    if (answers.some(isLimited)) return true;
  }
  return false;
}

/** @throws where there is no limit that could be got around */
export async function useUp(send: () => Promise<Answer>): Promise<void> {
  if (!(await sendUntilLimited(send))) throw new Error('there is no limit here');
}

/** Of those answers the first one that somebody got who is over the limit. */
export function passed(answers: readonly Answer[]): string | undefined {
  const past = answers.find((answer) => !isLimited(answer));
  return past && `${past.status} ${past.text}`;
}

/** Counts requests by something else than where they come from. */
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

/** Counts only what has been looked at already. */
export const countingAfterwards: Weakness = {
  name: 'counting before anything is looked at',
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
