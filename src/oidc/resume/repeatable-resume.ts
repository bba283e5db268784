import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Middleware } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import { unavailable } from '../../stores/access.ts';
import { consumeAs } from '../../stores/adapter/consumer.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { addToPayload, type Model, replace } from '../provider-models.ts';
import { readProviderCookie } from '../signed-cookie.ts';
import { restoreHeaders } from './restore-headers.ts';
import { REPEATABLE_MS, type ResumableInteraction, type ResumableSession, ResumeAttempt } from './resume-attempt.ts';

/** oidc-provider's routes that resume an interaction. The second exists only with the device flow. */
const ROUTES = ['resume', 'device_resume'];

/**
 * The attempt to resume that the present request makes. All providers share this storage, because each additional
 * `AsyncLocalStorage` makes all promises of the process slower.
 */
const attempts = new AsyncLocalStorage<ResumeAttempt>();

type PushedRequest = InstanceType<Provider['PushedAuthorizationRequest']> & { jti: string };
type DeviceCode = InstanceType<Provider['DeviceCode']>;

/**
 * Makes it possible to resume an interaction again after a failure. oidc-provider destroys the interaction and its
 * cookie first, so that a failure after that would lose the sign-in.
 *
 * - If the answer is a 5xx, or the process ends before there is one, the interaction, its cookie and the browser's
 *   session are as before.
 * - After a success, the same browser can repeat the request for ten seconds, in case that the answer did not reach it.
 *   All other requests find no interaction any more.
 *
 * It works with each adapter, because it changes the models of the provider and not the adapter.
 */
export class RepeatableResume {
  readonly #provider: Provider;
  readonly #keys: SecretKeys;
  readonly #undone = new WeakSet<Context>();

  constructor(provider: Provider, keys: SecretKeys) {
    this.#provider = provider;
    this.#keys = keys;
    this.#changeInteractions(provider.Interaction as unknown as Model<ResumableInteraction>);
    this.#changeSessions(provider.Session as unknown as Model<ResumableSession>);
    this.#changePushedRequests(provider.PushedAuthorizationRequest as unknown as Model<PushedRequest>);
    this.#changeDeviceCodes(provider.DeviceCode as unknown as Model<DeviceCode>);
  }

  /** Mounted in front of oidc-provider's own URLs. @throws QrLoginError `store_unavailable` */
  readonly middleware: Middleware = async (ctx, next) => {
    const uid = this.#uidToResume(ctx);
    if (uid === undefined) return next();
    const attempt = new ResumeAttempt(uid, this.#keys.mac('resumed session', uid).toString('base64url'));
    const headers = { ...ctx.res.getHeaders() };
    try {
      await attempts.run(attempt, next);
      if (ctx.status < 500) return await commit(attempt);
    } catch (error) {
      this.#undone.add(ctx);
      restoreHeaders(ctx, headers, ctx.res.getHeaderNames());
      throw error;
    }
    this.#undone.add(ctx);
    restoreHeaders(ctx, headers, ['set-cookie']);
  };

  /** Returns true if this request has failed to resume an interaction, and so has signed no user in. */
  isUndone(ctx: Context): boolean {
    return this.#undone.has(ctx);
  }

  #uidToResume(ctx: Context): string | undefined {
    const uid = readProviderCookie(this.#provider, ctx, 'resume');
    if (uid === undefined) return undefined;
    return ROUTES.some((route) => ctx.path === pathOf(this.#provider, route, uid)) ? uid : undefined;
  }

  #changeInteractions(model: Model<ResumableInteraction>): void {
    addToPayload(model, 'resumption');
    replace(model, 'find', (find) => async (id, options) => {
      const found = await find.call(model, id, options);
      const endedAt = found?.resumption?.endedAt;
      if (endedAt === undefined) return found;
      const isRepeated = attempts.getStore()?.uid === id && Date.now() < endedAt + REPEATABLE_MS;
      return isRepeated ? found : undefined;
    });
    const { save } = model.prototype;
    replace(
      model.prototype,
      'destroy',
      (destroy) =>
        async function (this: ResumableInteraction) {
          const attempt = attempts.getStore();
          if (attempt?.uid !== this.uid) return destroy.call(this);
          attempt.holdEnd(this, (ttl) => save.call(this, ttl));
        },
    );
  }

  #changeSessions(model: Model<ResumableSession>): void {
    addToPayload(model, 'replaces');
    replace(model, 'find', (find) => async (id) => {
      const attempt = attempts.getStore();
      if (attempt !== undefined) attempt.cookieSession = id;
      const found = await find.call(model, id);
      if (found !== undefined || attempt === undefined) return found;
      // An earlier attempt has replaced the session, but its answer did not arrive.
      const { from, to } = (await this.#resumption(attempt)) ?? {};
      return from === id && to !== undefined ? find.call(model, to) : undefined;
    });
    replace(
      model.prototype,
      'save',
      (save) =>
        async function (this: ResumableSession, ttl) {
          const attempt = attempts.getStore();
          // If another request saves the session, the browser has sent its cookie, so the browser is known to have this
          // session.
          this.replaces = undefined;
          if (attempt === undefined) return save.call(this, ttl);
          attempt.holdSession(this, () => save.call(this, ttl));
          this.exp = Math.floor(Date.now() / 1000) + ttl;
          this.touched = false;
          return this.jti;
        },
    );
    replace(
      model.prototype,
      'resetIdentifier',
      (resetIdentifier) =>
        function (this: ResumableSession) {
          const attempt = attempts.getStore();
          if (attempt === undefined) return resetIdentifier.call(this);
          this.touched = true;
          if (this.id === attempt.sessionId) return;
          this.oldId = this.id;
          this.id = attempt.sessionId;
        },
    );
    replace(
      model.prototype,
      'destroy',
      (destroy) =>
        async function (this: ResumableSession) {
          await destroy.call(this);
          if (this.replaces !== undefined) await this.adapter.destroy(this.replaces);
        },
    );
  }

  #changePushedRequests(model: Model<PushedRequest>): void {
    const { consume } = model.prototype;
    replace(model, 'find', (find) => async (id, options) => {
      const found = await find.call(model, id, options);
      const attempt = attempts.getStore();
      if (found?.consumed === undefined || attempt === undefined) return found;
      if ((await this.#resumption(attempt))?.pushedRequest !== id) return found;
      // An earlier attempt has noted the pushed request, and then tried to consume it. Another interaction that began
      // with the same pushed request may have been faster.
      if (!(await isAccepted(consumeAs(attempt.uid, () => consume.call(found))))) return found;
      found.consumed = undefined;
      attempt.hasConsumed = true;
      return found;
    });
    replace(
      model.prototype,
      'consume',
      () =>
        async function (this: PushedRequest) {
          const attempt = attempts.getStore();
          if (attempt === undefined) return consume.call(this);
          if (attempt.hasConsumed) return;
          attempt.holdPushedRequest(this.jti, () => consumeAs(attempt.uid, () => consume.call(this)));
        },
    );
  }

  #changeDeviceCodes(model: Model<DeviceCode>): void {
    replace(model, 'find', (find) => async (id, options) => {
      const found = await find.call(model, id, options);
      const attempt = attempts.getStore();
      if (found === undefined || attempt === undefined) return found;
      // oidc-provider considers a device code with an account to be used.
      if ((await this.#resumption(attempt))?.deviceCode === id) Object.assign(found, { accountId: undefined });
      return found;
    });
    replace(
      model.prototype,
      'save',
      (save) =>
        async function (this: DeviceCode) {
          const attempt = attempts.getStore();
          if (attempt === undefined) return save.call(this);
          attempt.holdDeviceCode(this.jti, () => save.call(this));
          return this.jti;
        },
    );
  }

  async #resumption({ uid }: ResumeAttempt): Promise<ResumableInteraction['resumption']> {
    const interaction: ResumableInteraction | undefined = await this.#provider.Interaction.find(uid);
    return interaction?.resumption;
  }
}

async function commit(attempt: ResumeAttempt): Promise<void> {
  try {
    await attempt.commit();
  } catch (cause) {
    throw unavailable(cause);
  }
}

/** Returns false if the adapter refuses to consume a pushed request. @throws any other error of the adapter */
async function isAccepted(consuming: Promise<unknown>): Promise<boolean> {
  try {
    await consuming;
    return true;
  } catch (error) {
    if (error instanceof errors.InvalidRequestUri) return false;
    throw error;
  }
}

/** Returns a route's path below the provider's mount path; undefined if the provider does not have the route. */
function pathOf(provider: Provider, route: string, uid: string): string | undefined {
  try {
    return provider.pathFor(route, { uid, mountPath: '' });
  } catch {
    return undefined;
  }
}
