import type { Context } from 'koa';
import { approverOf, type Session, sessionOf } from '../../oidc/approver.ts';
import type { Seen } from '../../ticket/phone.ts';
import type { Approver, Ticket } from '../../ticket/ticket.ts';
import type { Guard } from '../request/guard.ts';
import type { AccountAct, AddressAct } from '../request/rate-limits.ts';
import type { Services } from '../services.ts';
import { admit, asSubject } from './admission.ts';

/** Who asks, and the ticket as it stood then. */
export interface Claim {
  readonly approver: Approver;
  readonly seen: Seen;
}

/** What for. */
interface Claiming {
  /** Whether it matters if the account has reported whoever asks. */
  readonly isJudged?: boolean;
}

/** What is being read while the request is counted. */
interface Ahead {
  readonly session: Promise<Session | undefined>;
  readonly ticket: Promise<Ticket | undefined>;
}

/**
 * What a phone's request must know before anything is done. A store on another machine takes its time for each answer, so what does not depend
 * on another answer is asked for together.
 */
export class Claims {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * The limit by address. What is read meanwhile nobody looks at before the request is counted.
   * @param readBody for a request that has one: it may come slowly, and the session should not be older than that
   */
  counting(act: AddressAct, readBody?: Guard): Guard {
    const count = this.#services.limits.byAddress(act);
    return async (ctx) => {
      const counted = begun(count(ctx));
      try {
        await readBody?.(ctx);
        ctx.state.ahead = this.#readAhead(ctx);
      } finally {
        await counted;
      }
    };
  }

  /** Who is signed in to the phone at this moment. */
  async session(ctx: Context): Promise<Approver | undefined> {
    return approverOf(await aheadOf(ctx).session, this.#services.hooks.assurance);
  }

  /**
   * Who that is to the client that asks, as far as the account may do this now.
   * @throws QrLoginError as `admit` does
   */
  async of(ctx: Context, act: AccountAct, { isJudged = false }: Claiming = {}): Promise<Claim> {
    const { provider, ceremony } = this.#services;
    const [session, ticket] = await Promise.all([this.session(ctx), aheadOf(ctx).ticket]);
    const isReported = isJudged ? begun(ceremony.phone.isReported(ticket, session)) : undefined;
    const { approver } = await admit(this.#services, ctx, { approver: session, act });
    return { approver: await asSubject(provider, approver, ticket), seen: { ticket, isReported } };
  }

  #readAhead(ctx: Context): Ahead {
    const { provider, ceremony } = this.#services;
    const { id, code = '' }: Partial<Record<string, string>> = ctx.params;
    // The landing page says nothing of its ticket.
    const ticketId = id ?? (ctx.method === 'POST' ? ceremony.phone.idOf(code) : undefined);
    return {
      session: begun(sessionOf(provider, ctx)),
      ticket: begun(ticketId === undefined ? undefined : ceremony.phone.preview(ticketId)),
    };
  }
}

function aheadOf(ctx: Context): Ahead {
  return ctx.state.ahead as Ahead;
}

/** Whoever fails before waiting for it hears nothing of how it ends. */
function begun<T>(work: T | Promise<T>): Promise<T> {
  const promise = Promise.resolve(work);
  promise.catch(() => undefined);
  return promise;
}
