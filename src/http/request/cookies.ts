import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { siteOf } from '../../oidc/client.ts';
import type { Interaction } from '../../oidc/interaction.ts';
import { TRUST_LIFETIME_MS } from '../../ticket/browsers/known-browser.ts';
import { fingerprint } from '../../ticket/secret-keys.ts';
import type { Browser } from '../../ticket/ticket.ts';
import { makeExpiryHeaders } from './expired-cookies.ts';
import { SignedCookies } from './signed-cookies.ts';
import type { Urls } from './urls.ts';

const BINDING = '_qr_browser';
const ATTEMPTS = '_qr_attempts';
const MEMORY = '_qr_memory';
const FRESH_CODE = '_qr_seen';
const OFFER = '_qr_offer';
const SENT_TO_SIGN_IN = '_qr_sent';
const SIGN_IN = '_qr_sign_in';
const SIGNED_OUT = '_qr_ended';
const SHOWN_ACTION = '_qr_action';
const TEST = '_qr_test';

/**
 * The form of the memory cookie: a secret of 128 random bits, and the mark of the last account. A cookie of an older
 * release has another form.
 */
const MEMORY_FORM = /^(v2\.[\w-]{22})\.([\w-]{43})$/;

const DAY_MS = 24 * 60 * 60 * 1000;
/** The time for which the error page links back to the client after the interaction has ended. */
const WAY_BACK_MS = DAY_MS;
/**
 * The plugin leaves the cookies of this many interactions in a browser. Chromium keeps 180 cookies for a site with all
 * its applications.
 */
const MAX_ATTEMPTS = 8;
/**
 * If a phone opened a code while the code was fresh, it may scan the code for this long. The ticket of a sign-in waits
 * no longer for its scan.
 */
const FRESH_CODE_MS = 10 * 60 * 1000;
/** The notes about a ticket on the phone last this long. No ticket lasts longer. */
const OFFER_MS = 60 * 60 * 1000;
const SENT_TO_SIGN_IN_MS = 60 * 60 * 1000;
/** The id of a sign-in matters while a ticket waits, so a day is plenty. */
const SIGN_IN_MS = DAY_MS;
const SIGN_IN_ID_BYTES = 9;

/** The lifetime of the cookie that shows that the browser accepts cookies. */
const TEST_MS = 60 * 1000;
/** The time for which the result of a sign-out waits for the page that shows it. */
const RESULT_MS = 60 * 1000;

/** The number of browsers that a form has signed out, and the number of clients that could not be notified. */
export interface SignOutResult {
  readonly ended: number;
  readonly unreached: number;
}

/**
 * The sign-in that a phone had when it was offered a stronger one: the time of that sign-in in seconds since the epoch,
 * and its id ('' if it has none).
 */
export interface StrongerSignInOffer {
  readonly authenticatedAt: number;
  readonly signInId: string;
}

/** The client that started an interaction, and the website that its answer goes to, if it goes to one. */
export interface RequestOrigin {
  readonly clientId: string;
  readonly site: string | undefined;
}

/** The plugin's own cookies, each on the narrowest path that works. */
export class Cookies {
  readonly #urls: Urls;
  readonly #signed: SignedCookies;

  constructor(urls: Urls) {
    this.#urls = urls;
    this.#signed = new SignedCookies(urls);
  }

  /** Binds an interaction to its browser by a cookie with a secret, of which only the fingerprint is ever stored. */
  bind(ctx: Context, { uid, params }: Interaction, maxAge: number): void {
    const origin = [String(params.client_id), siteOf(params.redirect_uri) ?? ''];
    const secret = [uid, randomBytes(16).toString('base64url'), ...origin.map(encode)].join('.');
    this.#signed.set(ctx, BINDING, secret, this.#urls.interaction(uid), maxAge + WAY_BACK_MS);
  }

  /**
   * Gives the browser that opens an action a secret for it, or keeps the one that it has.
   * @returns the fingerprint of the secret
   */
  bindAction(ctx: Context, id: string, maxAge: number): string {
    const bound = this.binding(ctx, id);
    if (bound !== undefined) return bound;
    const secret = [id, randomBytes(16).toString('base64url')].join('.');
    this.#signed.set(ctx, BINDING, secret, this.#urls.action(id), maxAge);
    return fingerprint(secret);
  }

  /**
   * Notes that this browser has started an interaction, and expires the cookies of the oldest ones beyond eight. The
   * browser sends the cookies of an interaction only to its own URLs, so a separate cookie lists the interactions.
   * @param path the path of the URLs that start and resume interactions
   */
  limitAttempts(ctx: Context, uid: string, path: string): void {
    const attempts = [...(this.#signed.read(ctx, ATTEMPTS)?.split('.') ?? []), uid];
    const set = [ctx.res.getHeader('set-cookie') ?? []].flat().map(String);
    const expired = attempts.slice(0, -MAX_ATTEMPTS).flatMap((old) => makeExpiryHeaders(set, uid, old));
    if (expired.length > 0) ctx.res.setHeader('set-cookie', [...set, ...expired]);
    this.#signed.set(ctx, ATTEMPTS, attempts.slice(-MAX_ATTEMPTS).join('.'), path, DAY_MS + WAY_BACK_MS);
  }

  /** Returns the client that sent this browser here, even after the interaction has ended. */
  origin(ctx: Context, uid: string): RequestOrigin | undefined {
    const [of, , client, site] = this.#signed.read(ctx, BINDING)?.split('.') ?? [];
    if (of !== uid || client === undefined) return undefined;
    return { clientId: decode(client), site: site ? decode(site) : undefined };
  }

  /**
   * Returns the fingerprint of the binding; undefined for a browser that did not start this interaction, or did not
   * open this action.
   */
  binding(ctx: Context, uid: string): string | undefined {
    const secret = this.#signed.read(ctx, BINDING);
    return secret?.startsWith(`${uid}.`) ? fingerprint(secret) : undefined;
  }

  /**
   * Gives the browser a secret by which accounts may know it, or keeps the one that it has for another 180 days.
   * @param mark returns the mark of the account that is signed in now, for the fingerprint of the secret
   * @returns the fingerprint
   */
  renewMemory(ctx: Context, mark: (knownAs: string) => string): string {
    const secret = this.#memory(ctx)?.secret ?? `v2.${randomBytes(16).toString('base64url')}`;
    const knownAs = fingerprint(secret);
    const paths = [this.#urls.interactions, this.#urls.actions];
    this.#signed.setOnPaths(ctx, MEMORY, `${secret}.${mark(knownAs)}`, paths, TRUST_LIFETIME_MS);
    return knownAs;
  }

  /**
   * Returns the name by which accounts may know this browser, and the mark of the account that was last signed in to
   * it.
   */
  memory(ctx: Context): Pick<Browser, 'knownAs' | 'lastAccount'> {
    const { secret, lastAccount } = this.#memory(ctx) ?? {};
    if (secret === undefined || lastAccount === undefined) return {};
    return { knownAs: fingerprint(secret), lastAccount };
  }

  /** Notes on the phone that it opened this code while the code was fresh. */
  noteFreshCode(ctx: Context, code: string, now: number): void {
    this.#signed.set(ctx, FRESH_CODE, `${code}.${now + FRESH_CODE_MS}`, this.#urls.phone, FRESH_CODE_MS);
  }

  /** Returns the code that this phone has noted last. */
  lastFreshCode(ctx: Context): string | undefined {
    return this.#signed.read(ctx, FRESH_CODE)?.split('.')[0];
  }

  /** Returns true if this phone has noted the code, not too long ago. */
  hasFreshCode(ctx: Context, code: string, now: number): boolean {
    const [noted, until] = this.#signed.read(ctx, FRESH_CODE)?.split('.') ?? [];
    return noted === code && Number(until) > now;
  }

  /** Notes on the phone the sign-in after which a stronger one was offered for this ticket. */
  noteOffer(ctx: Context, ticketId: string, { authenticatedAt, signInId }: StrongerSignInOffer): void {
    this.#signed.set(ctx, OFFER, `${authenticatedAt}.${signInId}`, this.#urls.ticket(ticketId), OFFER_MS);
  }

  /** Returns the note about the ticket of this URL; undefined if there is none. */
  offer(ctx: Context): StrongerSignInOffer | undefined {
    const [authenticatedAt, signInId] = this.#signed.read(ctx, OFFER)?.split('.') ?? [];
    return signInId === undefined ? undefined : { authenticatedAt: Number(authenticatedAt), signInId };
  }

  /** Gives the sign-in of a session an id. A cookie holds it, because sessions of the provider have no room for it. */
  noteSignIn(ctx: Context, sessionUid: string): void {
    const id = randomBytes(SIGN_IN_ID_BYTES).toString('base64url');
    this.#signed.set(ctx, SIGN_IN, `${sessionUid}.${id}`, this.#urls.phone, SIGN_IN_MS);
  }

  /** Returns the id of the last sign-in of this session. */
  signInId(ctx: Context, sessionUid: string): string | undefined {
    const [uid, id] = this.#signed.read(ctx, SIGN_IN)?.split('.') ?? [];
    return uid === sessionUid ? id : undefined;
  }

  /** Notes on the phone that it was not signed in with the right account, and was sent to sign in for this ticket. */
  noteSentToSignIn(ctx: Context, ticketId: string): void {
    this.#signed.set(ctx, SENT_TO_SIGN_IN, ticketId, this.#urls.phone, SENT_TO_SIGN_IN_MS);
  }

  /** Returns the id of the ticket for which this phone was last sent to sign in. */
  ticketOfSignIn(ctx: Context): string | undefined {
    return this.#signed.read(ctx, SENT_TO_SIGN_IN);
  }

  /** Notes the result of a sign-out for the page that follows, which shows it to this session alone. */
  noteSignOut(ctx: Context, sessionUid: string, { ended, unreached }: SignOutResult): void {
    const note = [fingerprint(sessionUid), ended, unreached].join('.');
    this.#signed.set(ctx, SIGNED_OUT, note, this.#urls.devices, RESULT_MS);
  }

  /** Returns the noted result once; undefined if there is none. */
  takeSignOut(ctx: Context, sessionUid: string): SignOutResult | undefined {
    const [session, ended, unreached] = this.#signed.read(ctx, SIGNED_OUT)?.split('.') ?? [];
    if (session === undefined) return undefined;
    this.#signed.set(ctx, SIGNED_OUT, '', this.#urls.devices, 0);
    if (session !== fingerprint(sessionUid)) return undefined;
    return { ended: Number(ended), unreached: Number(unreached) };
  }

  /**
   * Notes that this browser shows an action, so that the user may decide on it here, too. This note spares the user the
   * check code, so another subdomain must not be able to plant its cookie.
   */
  noteShownAction(ctx: Context, id: string, maxAge: number): void {
    this.#signed.setForHost(ctx, SHOWN_ACTION, id, this.#urls.phone, maxAge);
  }

  /** Returns the id of the noted action. */
  shownAction(ctx: Context): string | undefined {
    return this.#signed.readForHost(ctx, SHOWN_ACTION);
  }

  /** Sets a cookie that only shows that the browser accepts cookies. */
  setTest(ctx: Context, path: string): void {
    this.#signed.set(ctx, TEST, 'yes', path, TEST_MS);
  }

  #memory(ctx: Context): { readonly secret: string; readonly lastAccount: string } | undefined {
    const [, secret, lastAccount] = MEMORY_FORM.exec(this.#signed.read(ctx, MEMORY) ?? '') ?? [];
    return secret === undefined || lastAccount === undefined ? undefined : { secret, lastAccount };
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function decode(encoded: string): string {
  return Buffer.from(encoded, 'base64url').toString();
}
