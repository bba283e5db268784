import { switchesAccount } from '../../ticket/browser.ts';
import { isTrusting } from '../../ticket/browsers/duration.ts';
import type { Codes } from '../../ticket/codes/code.ts';
import { matchNumbersOf } from '../../ticket/codes/match-number.ts';
import type { ShortCodes } from '../../ticket/codes/short-code.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import {
  type ApprovedTicket,
  type CancelledTicket,
  isLive,
  type PhoneDevice,
  stateAt,
  type Ticket,
  type TicketState,
} from '../../ticket/ticket.ts';
import type { Lifetimes } from '../../ticket/transitions.ts';
import { toSeconds } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { QrImages } from './qr-image.ts';

/** The code on the screen, with which a phone can claim the ticket. */
export interface ShownCode {
  readonly url: string;
  /** The code as an image; absent if the browser draws the code itself. */
  readonly svg?: string;
  /** Seconds until the next code replaces this one. */
  readonly rotatesIn: number;
  /** The code to type instead of scanning, `XXXX-XXXX`, if the deployment allows it. */
  readonly shortCode?: string;
}

/**
 * The ticket as the browser sees it: without an id, and without anything about the account until the browser is signed
 * in.
 */
export interface BrowserView {
  /** 0 if there is no ticket any more. */
  readonly version: number;
  readonly state: TicketState;
  /** Seconds until this state ends by itself. */
  readonly expiresIn: number;
  /** Present while the ticket waits for a scan. */
  readonly qr?: ShownCode;
  /** Present while the ticket waits, once a phone that is not signed in has opened the code: its user signs in now. */
  readonly phoneIsSigningIn?: true;
  /**
   * The phone that has scanned, as its user agent describes it, which proves nothing. Present from the scan on, if the
   * phone's browser or system is known.
   */
  readonly phone?: PhoneDevice;
  /** Present while the ticket is scanned, if its approver must tap this number on the phone. */
  readonly number?: string;
  /** Present once the ticket is approved: true if the check code must be typed. */
  readonly checkCode?: boolean;
  /** Present once the ticket is cancelled: by the browser itself, or by too many wrong check codes. */
  readonly because?: CancelledTicket['because'];
  /**
   * Present if another account is signed in to this browser, or was last signed in to it by QR: the user must agree to
   * the switch.
   */
  readonly switchAccount?: true;
  /**
   * Present once the ticket is approved, if the browser's key is used at finish. `sign`: the account knows the browser
   * by its key, which must sign. `make`: the user trusts the browser from now on, and the browser makes a key.
   */
  readonly key?: 'sign' | 'make';
}

/** The ticket with its code drawn, as the page shows it before any script runs. */
export interface DrawnView extends BrowserView {
  readonly qr?: ShownCode & { readonly svg: string };
}

/** The browser that a ticket is drawn for. */
export interface Viewer {
  /** The account that is signed in to this browser already. */
  readonly accountId: string | undefined;
  /** True if the view must include the code as an image. */
  readonly svg: boolean;
}

/**
 * Returns true if the browser wants the code as an image: a page sends `?svg=no` if it draws the code by itself.
 * @throws QrLoginError `invalid_request`
 */
export function wantsImage(svg: unknown): boolean {
  if (svg === undefined || svg === 'no') return svg === undefined;
  throw new QrLoginError('invalid_request', '"svg" is "no" if you draw the code by yourself; otherwise leave it out.');
}

/** The view after the record of a ticket has expired. */
const GONE = { version: 0, state: 'expired', expiresIn: 0 } as const;

/**
 * The part of a ticket that is kept after it was sent to a browser. It is enough to detect changes, and to draw the
 * ticket again.
 */
export interface ShownTicket extends Pick<Ticket, 'id' | 'version' | 'state' | 'shownAt' | 'deadline'> {
  readonly signingIn?: true;
}

export function shownTicketOf(ticket: Ticket): ShownTicket {
  const { id, version, state, shownAt, deadline } = ticket;
  const shown = { id, version, state, shownAt, deadline };
  return ticket.state === 'waiting' && ticket.signingIn ? { ...shown, signingIn: true } : shown;
}

/** Returns the version that the browser sees. Expiry counts as a change, although it is not written to the store. */
export function versionAt(ticket: ShownTicket | undefined, now: number): number {
  if (ticket === undefined) return GONE.version;
  return stateAt(ticket, now) === 'expired' ? ticket.version + 1 : ticket.version;
}

export interface ViewPorts {
  readonly keys: SecretKeys;
  readonly codes: Codes;
  /** Undefined if the deployment does not allow typing instead of scanning. */
  readonly shortCodes: ShortCodes | undefined;
  readonly urls: Urls;
  readonly lifetimes: Lifetimes;
  /** The URL of the picture in the middle of each code. */
  readonly codeMark?: string | undefined;
}

/** Draws tickets for the browser. */
export class BrowserViews {
  readonly #keys: SecretKeys;
  readonly #codes: Codes;
  readonly #shortCodes: ShortCodes | undefined;
  readonly #urls: Urls;
  readonly #lifetimes: Lifetimes;
  readonly #images: QrImages;
  /** The URL of the picture in the middle of each code, if the deployment has one. */
  readonly codeMark: string | undefined;

  constructor({ keys, codes, shortCodes, urls, lifetimes, codeMark }: ViewPorts) {
    this.#keys = keys;
    this.#codes = codes;
    this.#shortCodes = shortCodes;
    this.#urls = urls;
    this.#lifetimes = lifetimes;
    this.codeMark = codeMark;
    this.#images = new QrImages(codeMark);
  }

  /** The time that each state lasts from its beginning, in seconds. */
  get lasts(): Omit<Lifetimes, 'signIn'> {
    const { scan, decide, finish } = this.#lifetimes;
    return { scan: toSeconds(scan), decide: toSeconds(decide), finish: toSeconds(finish) };
  }

  /** The time for which a code is accepted after the next one has replaced it, in seconds. */
  get codeGrace(): number {
    return toSeconds(this.#codes.grace);
  }

  /** Returns the ticket as this browser may see it. */
  draw(ticket: Ticket | undefined, now: number, { accountId, svg }: Viewer): BrowserView {
    return svg ? this.drawWithImage(ticket, now, accountId) : this.#describe(ticket, now, accountId);
  }

  /** Returns the view of a ticket that has not changed since it was shown, with its present code, or as expired. */
  redraw(shown: ShownTicket, now: number, { svg }: Viewer): BrowserView {
    const view = this.#describeWaiting(shown, now);
    return svg ? this.#withImage(view) : view;
  }

  /** Returns the ticket as this browser may see it, always with the code as an image. */
  drawWithImage(ticket: Ticket | undefined, now: number, accountId: string | undefined): DrawnView {
    return this.#withImage(this.#describe(ticket, now, accountId));
  }

  /**
   * Returns the time at which the browser must get this ticket again although it has not changed: its code rotates, or
   * its state ends. In milliseconds since the epoch; infinite if neither will happen.
   */
  dueAt(ticket: ShownTicket | undefined, now: number): number {
    if (ticket === undefined || !isLive(ticket, now)) return Number.POSITIVE_INFINITY;
    if (ticket.state !== 'waiting') return ticket.deadline;
    return Math.min(ticket.deadline, now + this.#codes.rotatesIn(ticket.id, now));
  }

  /**
   * Returns the end of the state. The end of a denial does not depend on its cause, so that the browser cannot infer
   * the cause.
   */
  #endOf({ state, since, deadline }: Ticket): number {
    return state === 'denied' ? Math.min(deadline, since + this.#lifetimes.finish) : deadline;
  }

  #describe(ticket: Ticket | undefined, now: number, accountId: string | undefined): BrowserView {
    if (ticket === undefined) return GONE;
    const state = stateAt(ticket, now);
    if (state === 'waiting' || state === 'expired') return this.#describeWaiting(ticket, now);
    const view = {
      version: ticket.version,
      state,
      expiresIn: toSeconds(this.#endOf(ticket) - now),
      // The browser need not know which phone has scanned a sign-in that is over.
      ...((ticket.state === 'scanned' || ticket.state === 'approved') && ticket.phone && { phone: ticket.phone }),
    };
    if (ticket.state === 'cancelled') return { ...view, because: ticket.because };
    if (ticket.state === 'scanned' && ticket.match && state === 'scanned')
      return { ...view, number: matchNumbersOf(this.#keys, ticket.id).shown };
    if (ticket.state !== 'approved') return view;
    return {
      ...view,
      checkCode: ticket.checkCode !== undefined,
      ...(switchesAccount(ticket, accountId) && { switchAccount: true }),
      ...keyUseOf(ticket),
    };
  }

  /** Returns the view of a ticket that waits or has expired. */
  #describeWaiting(shown: ShownTicket, now: number): BrowserView {
    const state = stateAt(shown, now);
    const version = versionAt(shown, now);
    if (state === 'expired') return { version, state, expiresIn: 0 };
    return {
      version,
      state,
      expiresIn: toSeconds(shown.deadline - now),
      qr: this.#qr(shown.id, now),
      ...(shown.signingIn && { phoneIsSigningIn: true }),
    };
  }

  #withImage({ qr, ...view }: BrowserView): DrawnView {
    return qr === undefined ? view : { ...view, qr: { ...qr, svg: this.#images.draw(qr.url) } };
  }

  #qr(id: string, now: number): ShownCode {
    const { code, rotatesIn } = this.#codes.show(id, now);
    const url = this.#urls.absolute(this.#urls.landing(code));
    const shortCode = this.#shortCodes?.show(id);
    return { url, rotatesIn: toSeconds(rotatesIn), ...(shortCode && { shortCode }) };
  }
}

function keyUseOf(ticket: ApprovedTicket): Pick<BrowserView, 'key'> {
  if (ticket.knownBy === 'key' || ticket.enrolledKey !== undefined) return { key: 'sign' };
  return isTrusting(ticket) ? { key: 'make' } : {};
}
