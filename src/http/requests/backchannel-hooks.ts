import type { FindAccount } from '../../oidc/approver.ts';
import {
  type AuthenticationRequest,
  assertBindingMessage,
  assertShowable,
  describeAuthenticationRequest,
} from '../../oidc/backchannel/authentication-request.ts';
import type { AuthenticationContext, CibaHooks } from '../../oidc/backchannel/ciba-hooks.ts';
import {
  invalidUserCode,
  missingUserCode,
  refusedRequest,
  unknownUser,
  userNotAsked,
} from '../../oidc/backchannel/request-errors.ts';
import type { Provider } from '../../oidc/provider.ts';
import { refusalIn } from '../../ticket/errors.ts';
import type { NotAsked, RequestActs } from '../../ticket/requests/request-acts.ts';
import type { Announce } from '../events/ticket-events.ts';
import { type RateLimits, TooManyRequests } from '../request/rate-limits.ts';
import type { Notifier } from './notifier.ts';

/** Returns the account of the user that a client names; undefined if there is none. */
export type FindNamedAccount = (name: string, clientId: string) => Promise<string | undefined> | string | undefined;

/**
 * Returns true if this is the secret by which a user lets clients ask (CIBA Core 1.0, section 7.1).
 * @param userCode undefined if the client has sent none
 */
export type VerifyUserCode = (
  accountId: string,
  userCode: string | undefined,
  clientId: string,
) => Promise<boolean> | boolean;

export interface BackchannelPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly requests: Pick<RequestActs, 'ask'> };
  readonly notifier: Notifier;
  readonly announce: Announce;
  readonly limits: Pick<RateLimits, 'byAddress' | 'forAccount'>;
  readonly settings: {
    readonly findAccount: FindAccount;
    readonly ciba: {
      readonly findAccount?: FindNamedAccount | undefined;
      readonly findAccountByToken?: FindNamedAccount | undefined;
      readonly verifyUserCode?: VerifyUserCode | undefined;
    };
  };
}

/** The longest time for a decision, in milliseconds. oidc-provider gives requests 10 minutes at most by default. */
const LONGEST_MS = 60 * 60 * 1000;

/** Tell the operator why a user was not asked. */
const REASONS: Readonly<Record<NotAsked, string>> = {
  reported: 'the user has reported this client within the last hour',
  pending: 'the user has a request of this client to decide, or too many others',
  'too soon': 'the user has not approved the last requests of this client',
};

/**
 * Turns the authentication requests that oidc-provider receives without a browser into tickets (CIBA Core 1.0, section
 * 7). oidc-provider authenticates the client, and then calls these functions, some of them at the same time.
 */
export class BackchannelHooks {
  readonly #ports: BackchannelPorts;
  /** The admission of each request. The functions for one request share it, so that the request counts once. */
  readonly #admissions = new WeakMap<AuthenticationContext, Promise<void>>();

  constructor(ports: BackchannelPorts) {
    this.#ports = ports;
  }

  /**
   * Returns the functions. Each turns the plugin's errors into those of oidc-provider, which would otherwise answer
   * 500, for example if the store is full.
   */
  make(): CibaHooks {
    const { ciba } = this.#ports.settings;
    return {
      validateBindingMessage: this.#admitting(async (_ctx, message) => assertBindingMessage(message)),
      validateRequestContext: this.#admitting(async () => undefined),
      processLoginHint: this.#admitting((ctx, hint) => find(ciba.findAccount, ctx, hint)),
      processLoginHintToken: this.#admitting((ctx, token) => find(ciba.findAccountByToken, ctx, token)),
      verifyUserCode: this.#admitting((ctx, { accountId }, userCode) => this.#verifyUserCode(ctx, accountId, userCode)),
      triggerAuthenticationDevice: refusing((ctx, request) => this.#ask(ctx, request)),
    };
  }

  /**
   * Makes a function admit the request first. Each does so, because a deployment may put functions of its own in the
   * place of some.
   */
  #admitting<Arguments extends unknown[], Result>(
    act: (ctx: AuthenticationContext, ...given: Arguments) => Promise<Result>,
  ): (ctx: AuthenticationContext, ...given: Arguments) => Promise<Result> {
    return refusing(async (ctx: AuthenticationContext, ...given: Arguments) => {
      await this.#admitOnce(ctx);
      return act(ctx, ...given);
    });
  }

  #admitOnce(ctx: AuthenticationContext): Promise<void> {
    const admission = this.#admissions.get(ctx) ?? this.#admit(ctx);
    this.#admissions.set(ctx, admission);
    return admission;
  }

  /** Counts the request before an account is looked for, so that names cannot be tried out at will. */
  async #admit(ctx: AuthenticationContext): Promise<void> {
    await this.#ports.limits.byAddress('request')({ ctx });
    assertShowable(ctx);
  }

  async #verifyUserCode(ctx: AuthenticationContext, accountId: string, userCode: string | undefined): Promise<void> {
    const { limits, settings } = this.#ports;
    // A client must not be able to tell an account that cannot be used from one that does not exist.
    if ((await settings.findAccount(accountId)) === undefined) throw unknownUser();
    await limits.forAccount('request', accountId);
    const { verifyUserCode } = settings.ciba;
    if (verifyUserCode === undefined || (await verifyUserCode(accountId, userCode, clientIdOf(ctx)))) return;
    throw userCode === undefined ? missingUserCode() : invalidUserCode();
  }

  async #ask(ctx: AuthenticationContext, request: AuthenticationRequest): Promise<void> {
    const { provider, ceremony, notifier, announce } = this.#ports;
    const { accountId = '', jti: authReqId, expiration } = request;
    try {
      await this.#admitOnce(ctx);
      const asked = await describeAuthenticationRequest(provider, ctx, request);
      const message = ctx.oidc.params?.binding_message;
      const ticket = await ceremony.requests.ask({
        accountId,
        request: asked,
        authReqId,
        message: typeof message === 'string' ? message : undefined,
        lasts: Math.min(LONGEST_MS, expiration * 1000),
      });
      if (typeof ticket === 'string') throw userNotAsked(REASONS[ticket]);
      announce(ctx, 'qr_login.shown', ticket);
      notifier.notify(accountId, ticket);
    } catch (error) {
      // oidc-provider has stored the request already. The client never gets its id, so a record that stays does no
      // harm, and a failure to remove it must not hide the reason of the refusal.
      await request.destroy().catch(() => undefined);
      throw error;
    }
  }
}

async function find(
  findAccount: FindNamedAccount | undefined,
  ctx: AuthenticationContext,
  name: string | undefined,
): Promise<string | undefined> {
  return name === undefined ? undefined : findAccount?.(name, clientIdOf(ctx));
}

function clientIdOf({ oidc }: AuthenticationContext): string {
  return oidc.client?.clientId ?? '';
}

/** Makes a function refuse in the terms of oidc-provider. */
function refusing<Arguments extends [AuthenticationContext, ...unknown[]], Result>(
  act: (...given: Arguments) => Promise<Result>,
): (...given: Arguments) => Promise<Result> {
  return async (...given) => {
    try {
      return await act(...given);
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal instanceof TooManyRequests) given[0].set('Retry-After', `${refusal.retryAfter}`);
      throw refusal === undefined ? error : refusedRequest(refusal);
    }
  };
}
