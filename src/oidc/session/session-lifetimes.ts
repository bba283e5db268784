import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Duration, isDuration, lengthOf } from '../../ticket/browsers/duration.ts';
import { addToPayload, type Model, replace } from '../provider-models.ts';

/** The lifetime of a session, as it is stored in the session's record. */
export interface SessionLifetime {
  /** The time of the sign-in, or of the latest change, in milliseconds since the epoch. */
  readonly since: number;
  /** The user's choice; absent if the sign-in came with none. */
  readonly duration?: Duration;
  /** The time at which the session ends at the latest, in seconds since the epoch. */
  readonly endsAt?: number;
  /**
   * The time at which the provider's own setting, counted from the latest use, would end the session, in seconds since
   * the epoch.
   */
  readonly longest?: number;
}

type ProviderSession = NonNullable<Awaited<ReturnType<Provider['Session']['findByUid']>>>;

/** A session of oidc-provider, with the field that is added here. */
type LimitedSession = ProviderSession & { lifetime?: SessionLifetime | undefined };

/**
 * Ends the session of a browser at the time that its user has chosen. The choice is in the session's own record, so
 * that each node honours it without another access to the store. A session is saved for no longer than its user has
 * chosen, and the browser keeps its cookie for as long as the session is saved.
 */
export class SessionLifetimes {
  readonly #provider: Provider;

  /**
   * Wraps the model's `save`. Construct this after everything else that wraps `save`, so that the other wrappers get
   * the shorter lifetime.
   */
  constructor(provider: Provider) {
    this.#provider = provider;
    const model = provider.Session as unknown as Model<LimitedSession>;
    addToPayload(model, 'lifetime');
    replace(
      model.prototype,
      'save',
      (save) =>
        async function (this: LimitedSession, ttl) {
          const { lifetime } = this;
          if (lifetime === undefined) return save.call(this, ttl);
          const now = epochSeconds();
          this.lifetime = { ...lifetime, longest: now + ttl };
          return save.call(this, lifetime.endsAt === undefined ? ttl : atMost(ttl, lifetime.endsAt - now));
        },
    );
    replace(
      model.prototype,
      'persist',
      () =>
        function (this: LimitedSession) {
          return this.save((this.lifetime?.longest ?? this.exp) - epochSeconds());
        },
    );
    provider.on('interaction.ended', ({ oidc }: KoaContextWithOIDC) => {
      const login = oidc.result?.login;
      // The result of a later consent contains the earlier sign-in, whose lifetime has begun already.
      if (login === undefined || oidc.entities.Interaction?.prompt.name !== 'login') return;
      if (oidc.session !== undefined) begin(oidc.session, isDuration(login.duration) ? login.duration : undefined);
    });
  }

  /**
   * Changes how long a session lasts from now on. It lasts no longer than the provider's own setting allowed at its
   * latest use.
   * @returns the milliseconds that are left; undefined if this account has no such session
   */
  async change(
    { accountId, sessionUid }: { readonly accountId: string; readonly sessionUid: string },
    lifetime: SessionLifetime,
  ): Promise<number | undefined> {
    const session: LimitedSession | undefined = await this.#provider.Session.findByUid(sessionUid);
    if (session?.accountId !== accountId) return undefined;
    await apply(session, lifetime);
    return session.exp * 1000 - Date.now();
  }

  /**
   * Applies a change again after oidc-provider has answered a request. Sessions are saved as a whole, so a request that
   * was under way during the change has undone it.
   */
  async reapply(ctx: Context, lifetime: SessionLifetime): Promise<void> {
    const session: LimitedSession | undefined = (ctx as Partial<KoaContextWithOIDC>).oidc?.session;
    if (session !== undefined && (session.lifetime?.since ?? 0) < lifetime.since) await apply(session, lifetime);
  }
}

/** Returns the choice in a session's record; undefined if there is none. */
export function durationOf(session: object): Duration | undefined {
  return (session as { lifetime?: SessionLifetime }).lifetime?.duration;
}

/** Starts the lifetime of a new sign-in. Without a choice, it lasts as long as the provider's own setting says. */
function begin(session: LimitedSession, duration: Duration | undefined): void {
  if (duration !== undefined) session.lifetime = lifetimeOf(duration);
  else if (session.lifetime !== undefined) session.lifetime = { since: Date.now() };
}

/** Returns the lifetime of a session whose user chooses this duration now. */
export function lifetimeOf(duration: Duration): SessionLifetime {
  const since = Date.now();
  const length = lengthOf(duration);
  return { since, duration, ...(length !== undefined && { endsAt: Math.floor((since + length) / 1000) }) };
}

async function apply(session: LimitedSession, lifetime: SessionLifetime): Promise<void> {
  const longest = session.lifetime?.longest ?? session.exp;
  session.lifetime = lifetime;
  session.transient = lifetime.duration === 'session' ? true : undefined;
  await session.save(Math.max(1, longest - epochSeconds()));
}

/** Returns the shorter of two times in seconds, but at least 1, because oidc-provider saves no session for less. */
function atMost(one: number, other: number): number {
  return Math.max(1, Math.min(one, other));
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
