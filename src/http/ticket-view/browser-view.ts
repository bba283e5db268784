import { switchesAccount } from '../../ticket/browser.ts';
import type { Codes } from '../../ticket/code.ts';
import type { ShortCodes } from '../../ticket/short-code.ts';
import { isLive, stateAt, type Ticket, type TicketState } from '../../ticket/ticket.ts';
import type { Lifetimes } from '../../ticket/transitions.ts';
import { toSeconds } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { QrImages } from './qr-image.ts';

/** What a phone can claim a ticket with. */
export interface ShownCode {
  readonly url: string;
  /** The code drawn, unless whoever asks draws by itself. */
  readonly svg?: string;
  /** Seconds until there is another one. */
  readonly rotatesIn: number;
  /** What may be typed instead, where the deployment allows it: `XXXX-XXXX`. */
  readonly shortCode?: string;
}

/** The ticket as the browser sees it: nothing of the account, and no id, until it is signed in. */
export interface BrowserView {
  /** 0 where there is no ticket any more. */
  readonly version: number;
  readonly state: TicketState;
  /** Seconds until this state ends by itself. */
  readonly expiresIn: number;
  /** While it waits for a scan. */
  readonly qr?: ShownCode;
  /** Once approved: whether the check code must be typed. */
  readonly checkCode?: boolean;
  /** Present where another account is signed in here, which must be given up to go on. */
  readonly switchAccount?: true;
}

/** The ticket with its code drawn, as the page shows it before any script runs. */
export interface DrawnView extends BrowserView {
  readonly qr?: ShownCode & { readonly svg: string };
}

/** Whom a ticket is drawn for. */
export interface Viewer {
  /** Who is signed in to this browser already. */
  readonly accountId: string | undefined;
  /** Whether it wants the code drawn. */
  readonly svg: boolean;
}

/** Nothing is left of a ticket once its time has passed. */
const GONE = { version: 0, state: 'expired', expiresIn: 0 } as const;

/** What is kept of a ticket that a browser has been told of: enough to know what is news, and to draw it while it waits. */
export type Shown = Pick<Ticket, 'id' | 'version' | 'state' | 'shownAt' | 'deadline'>;

export function shownOf({ id, version, state, shownAt, deadline }: Ticket): Shown {
  return { id, version, state, shownAt, deadline };
}

/** The version that the browser sees: a ticket that expired has changed, although nobody wrote it. */
export function versionAt(ticket: Shown | undefined, now: number): number {
  if (ticket === undefined) return GONE.version;
  return stateAt(ticket, now) === 'expired' ? ticket.version + 1 : ticket.version;
}

export interface Drawing {
  readonly codes: Codes;
  /** Undefined where nobody may type instead of scanning. */
  readonly shortCodes: ShortCodes | undefined;
  readonly urls: Urls;
  readonly lifetimes: Lifetimes;
}

/** Draws tickets for the browser. */
export class BrowserViews {
  readonly #codes: Codes;
  readonly #shortCodes: ShortCodes | undefined;
  readonly #urls: Urls;
  readonly #lifetimes: Lifetimes;
  readonly #images = new QrImages();

  constructor({ codes, shortCodes, urls, lifetimes }: Drawing) {
    this.#codes = codes;
    this.#shortCodes = shortCodes;
    this.#urls = urls;
    this.#lifetimes = lifetimes;
  }

  /** How many seconds each state lasts from its beginning. */
  get lasts(): Lifetimes {
    const { scan, decide, finish } = this.#lifetimes;
    return { scan: toSeconds(scan), decide: toSeconds(decide), finish: toSeconds(finish) };
  }

  /** The ticket as this browser is to be told of it. */
  draw(ticket: Ticket | undefined, now: number, { accountId, svg }: Viewer): BrowserView {
    return svg ? this.drawn(ticket, now, accountId) : this.#describe(ticket, now, accountId);
  }

  /** The same of one that nothing has happened to since: its code is another one, or its time has passed. */
  redraw(shown: Shown, now: number, { svg }: Viewer): BrowserView {
    const view = this.#waiting(shown, now);
    return svg ? this.#withImage(view) : view;
  }

  /** The same, with its code drawn in any case. */
  drawn(ticket: Ticket | undefined, now: number, accountId: string | undefined): DrawnView {
    return this.#withImage(this.#describe(ticket, now, accountId));
  }

  /** When the browser must hear of this ticket again although nothing happens to it: its code rotates, its time ends. */
  dueAt(ticket: Shown | undefined, now: number): number {
    if (ticket === undefined || !isLive(ticket, now)) return Number.POSITIVE_INFINITY;
    if (ticket.state !== 'waiting') return ticket.deadline;
    return Math.min(ticket.deadline, now + this.#codes.rotatesIn(ticket.id, now));
  }

  /** A denial looks the same to the browser, whyever it came. */
  #endOf({ state, since, deadline }: Ticket): number {
    return state === 'denied' ? Math.min(deadline, since + this.#lifetimes.finish) : deadline;
  }

  #describe(ticket: Ticket | undefined, now: number, accountId: string | undefined): BrowserView {
    if (ticket === undefined) return GONE;
    const state = stateAt(ticket, now);
    if (state === 'waiting' || state === 'expired') return this.#waiting(ticket, now);
    const view = { version: ticket.version, state, expiresIn: toSeconds(this.#endOf(ticket) - now) };
    if (ticket.state !== 'approved') return view;
    return {
      ...view,
      checkCode: ticket.checkCode !== undefined,
      ...(switchesAccount(ticket, accountId) && { switchAccount: true }),
    };
  }

  /** What waits, or has waited for too long. */
  #waiting(shown: Shown, now: number): BrowserView {
    const state = stateAt(shown, now);
    const version = versionAt(shown, now);
    if (state === 'expired') return { version, state, expiresIn: 0 };
    return { version, state, expiresIn: toSeconds(shown.deadline - now), qr: this.#qr(shown.id, now) };
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
