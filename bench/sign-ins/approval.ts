/**
 * Plays both sides of an approval, the browser that shows the code and the phone, with the same requests that the real
 * pages and scripts send.
 */
import { expectStatus, findInBody, pathOf, redirectPathOf } from './checked.ts';
import type { Device } from './device.ts';
import type { EventStream, Ticket } from './event-stream.ts';

/** A phone that is signed in. */
export interface Phone {
  readonly device: Device;
  readonly accountId: string;
}

export interface Browser {
  readonly device: Device;
  /** True if the browser remembers an earlier sign-in of this account, so that no check code is asked for. */
  readonly isKnown: boolean;
}

const CSRF = /name="csrf" value="([^"]+)"/;

export class Approval {
  /** The path of the page that shows the code. */
  codePagePath = '';
  readonly #browser: Device;
  readonly #isKnown: boolean;
  readonly #phone: Phone;
  #stream: EventStream | undefined;
  /** The path in the QR code; after the scan, the path of the ticket. */
  #path = '';
  #csrf = '';
  /** The digits that the phone has shown. */
  #checkCode = '';

  constructor(browser: Browser, phone: Phone) {
    this.#browser = browser.device;
    this.#isKnown = browser.isKnown;
    this.#phone = phone;
  }

  /** Closes the event stream. */
  leave(): void {
    this.#stream?.close();
  }

  /** Confirms in the browser, with the check code. @returns the address that follows */
  async finish(): Promise<string> {
    const body: Record<string, string> = this.#isKnown ? {} : { checkCode: this.#checkCode };
    const answer = expectStatus(await this.#browser.post(`${this.codePagePath}/qr/finish`, body), 200);
    this.leave();
    return JSON.parse(answer.body).redirectTo;
  }

  async openCodePage(): Promise<void> {
    const page = expectStatus(await this.#browser.open(this.codePagePath, 'cross-site'), 200);
    findInBody(page, /(data-screen="waiting")/);
  }

  async listen(): Promise<void> {
    this.#stream = this.#browser.listen(`${this.codePagePath}/qr/events?svg=no`);
    const { qr } = await this.#stream.waitUntilReached('waiting');
    this.#path = pathOf(qr?.url ?? '');
  }

  async openLandingPage(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'none'), 200);
    this.#csrf = findInBody(page, CSRF);
  }

  async scan(): Promise<void> {
    this.#path = pathOf(redirectPathOf(await this.#phone.device.submit(this.#path, { csrf: this.#csrf })));
    await this.#waitUntilReached('scanned');
  }

  async openConfirmPage(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'same-origin'), 200);
    findInBody(page, /(value="approve")/);
    this.#csrf = findInBody(page, CSRF);
  }

  async approve(): Promise<void> {
    redirectPathOf(
      await this.#phone.device.submit(this.#path, { csrf: this.#csrf, decision: 'approve', remember: 'yes' }),
    );
    const { checkCode: isCheckCodeAsked } = await this.#waitUntilReached('approved');
    if (isCheckCodeAsked === this.#isKnown)
      throw new Error('a check code must be asked for in a new browser, and not in a known one');
  }

  async openDonePage(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'same-origin'), 200);
    if (this.#isKnown) findInBody(page, /(class="mark mark-yes")/);
    else
      this.#checkCode = findInBody(page, /class="check-code" dir="ltr"><span>(\d{3}<\/span> <span>\d{3})</).replace(
        /\D/g,
        '',
      );
  }

  async #waitUntilReached(state: string): Promise<Ticket> {
    if (this.#stream === undefined) throw new Error('the browser does not listen yet');
    return this.#stream.waitUntilReached(state);
  }
}
