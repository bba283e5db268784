import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { aside, warn } from '../oidc/aside.ts';
import { type BrowserNote, Resumed, type SessionLeft } from '../oidc/resumed.ts';
import { unavailable } from '../stores/access.ts';
import { QrLoginError } from '../ticket/errors.ts';
import type { Clock } from '../ticket/ports.ts';
import { browserId, type SignedInBrowser, type SignedInBrowsers } from '../ticket/signed-in-browser.ts';
import type { Place } from '../ticket/ticket.ts';
import { describeUserAgent, sourceOf } from './client-info.ts';
import type { Devices } from './device.ts';
import type { FailureEvent } from './events.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';

/** A browser that was just signed in by a phone. */
export interface NewSignIn {
  readonly accountId: string;
  /** What it claims to be, roughly where it is, and whether this account was signed in there by QR before. */
  readonly browser: {
    readonly name?: string;
    readonly system?: string;
    readonly place?: Place;
    readonly known: boolean;
  };
  /** The app that has asked for it. */
  readonly client: { readonly id: string; readonly name: string };
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/** Told of each new sign-in by QR, to announce it by mail or push. Nobody waits for it. */
export type OnSignIn = (ctx: Context, signIn: NewSignIn) => void | Promise<void>;

export interface SignInPorts {
  readonly provider: Provider;
  readonly browsers: SignedInBrowsers;
  readonly remoteSignOut: RemoteSignOut;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly onSignIn: OnSignIn;
}

/** Keeps the lists of signed-in browsers right, along with what oidc-provider does. */
export class SignIns {
  readonly #ports: SignInPorts;
  readonly #resumed: Resumed;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
    this.#resumed = new Resumed(ports.provider);
  }

  /** Around oidc-provider's own URLs: what they have left is noted before anybody hears the answer. */
  note: Middleware = async (ctx, next) => {
    await next();
    const session = this.#resumed.sessionOf(ctx);
    if (session === undefined) return;
    const note = this.#resumed.noteOf(ctx);
    try {
      if (note === undefined) await this.#use(ctx, session);
      else await this.#put(ctx, session, note);
    } catch (error) {
      // Whoever is signed in is signed in: the next request for authorization mends the list.
      this.#fail(ctx, session, error);
    }
    if (note !== undefined) this.#announce(ctx, session, note);
  };

  async #put(ctx: Context, session: SessionLeft, { known: _known, at, ...browser }: BrowserNote): Promise<void> {
    const { browsers, remoteSignOut } = this.#ports;
    const { accountId } = session;
    const gone = await browsers.put(accountId, { ...browser, ...this.#used(session), signedInAt: at });
    for (const one of gone) {
      // Its RPs may take their time, for which nobody here has to wait.
      remoteSignOut.end(ctx, accountId, one).catch((error: unknown) => this.#fail(ctx, session, error));
    }
  }

  async #use(ctx: Context, session: SessionLeft): Promise<void> {
    const { browsers, remoteSignOut, devices } = this.#ports;
    const { accountId, uid, byPhone, begunAt } = session;
    const { id, sessionUid, ...use } = this.#used(session);
    if ((await browsers.used(accountId, id, use)) || !byPhone) return;
    if (await remoteSignOut.wasEnded(uid)) {
      await remoteSignOut.end(ctx, accountId, { id, sessionUid });
      return;
    }
    const { userAgent, place } = await devices.of(ctx);
    const browser = { ...describeUserAgent(userAgent), ...(place !== undefined && { place }) };
    await this.#put(ctx, session, { ...browser, known: true, at: begunAt });
  }

  #used({ uid, lasts }: SessionLeft): Pick<SignedInBrowser, 'id' | 'sessionUid' | 'lastUsedAt' | 'endsAt'> {
    const now = this.#ports.clock();
    return { id: browserId(uid), sessionUid: uid, lastUsedAt: now, endsAt: now + lasts };
  }

  #announce(ctx: Context, { accountId, client }: SessionLeft, { at, ...browser }: BrowserNote): void {
    if (client === undefined) return;
    const { onSignIn } = this.#ports;
    Promise.resolve()
      .then(() => onSignIn(ctx, { accountId, browser, client, at }))
      .catch(warn);
  }

  #fail(ctx: Context, { accountId }: SessionLeft, cause: unknown): void {
    const error = cause instanceof QrLoginError ? cause : unavailable(cause);
    const failure: FailureEvent = { code: error.code, from: sourceOf(ctx), accountId };
    aside(() => this.#ports.provider.emit('qr_login.failed', ctx, error, failure));
  }
}
