/** The code on the page: as a picture, as a link, and as letters to type. */
import { find, page } from '../page.ts';
import { pause } from '../requests.ts';
import type { Ticket } from '../ticket/ticket.ts';

type Code = NonNullable<Ticket['qr']>;

/**
 * The longest wait for the drawing script. Meanwhile the page shows the previous code, which is valid for longer than
 * this, even if codes rotate every second.
 */
const LOAD_WITHIN_MS = 1_500;

export class ShownCode {
  readonly #requestPicture: () => Promise<void>;
  /** The address in the code on the page. Of a code that the server has drawn, only the end of the address is known. */
  #url: string = page.querySelector<HTMLElement>('[data-drawn]')?.dataset.drawn || 'none';
  /** The time after which the server refuses the code; infinite if the template does not say when that is. */
  #goodUntil = Number.POSITIVE_INFINITY;
  /** Draws codes. It is loaded once, when the page needs it for the first time. */
  #draw: ((url: string, mark?: string) => Element | undefined) | undefined;
  /** Resolves when the drawing script has loaded, has failed to load, or is late. */
  #loading: Promise<void> | undefined;

  /** @param requestPicture asks the server for the code as a picture, if this page cannot draw it */
  constructor(requestPicture: () => Promise<void>) {
    this.#requestPicture = requestPicture;
  }

  /** True if the code must have expired, because no newer one has arrived. */
  get isOld(): boolean {
    return Date.now() > this.#goodUntil;
  }

  /** @param isNew true if the code belongs to another ticket than the previous one */
  show({ url, svg, rotatesIn, shortCode }: Code, isNew: boolean): void {
    const grace = Number(page.dataset.grace);
    if (grace) this.#goodUntil = Date.now() + (rotatesIn + grace) * 1000;
    page.querySelector('[data-address]')?.setAttribute('href', url);
    if (shortCode !== undefined) showShortCode(shortCode);
    if (svg === undefined && url.endsWith(this.#url)) return;
    this.#url = url;
    // The previous ticket is over, so its code must not stay on the page while the new one is drawn.
    if (isNew) replacePicture();
    if (svg === undefined) void this.#drawPicture(url);
    else replacePicture(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement);
  }

  /**
   * Draws a code, unless a newer one has arrived meanwhile. If this page cannot draw, it asks the server for a picture.
   */
  async #drawPicture(url: string): Promise<void> {
    this.#loading ??= Promise.race([this.#load(), pause(LOAD_WITHIN_MS)]).catch(() => undefined);
    await this.#loading;
    if (this.#url !== url) return;
    const image = this.#draw?.(url, find(page, '[data-code]').dataset.mark);
    if (image) replacePicture(image);
    else await this.#requestPicture();
  }

  async #load(): Promise<void> {
    this.#draw = (await import('./draw-code.ts')).drawCode;
  }
}

function replacePicture(...images: Element[]): void {
  find(page, '[data-code]').replaceChildren(...images);
}

/**
 * Shows the short code, and spells it for screen readers. An unchanged code is not written again, because a screen
 * reader may be reading it.
 */
function showShortCode(shortCode: string): void {
  const element = find(page, '[data-short-code]');
  if (element.textContent === shortCode) return;
  element.textContent = shortCode;
  find(page, '[data-spelled]').textContent = [...shortCode].join(' ');
}
