/** The approval of a code: the page that shows it, and the phone, with the requests that the pages and scripts send. */
import { expectStatus, foundIn, leadsTo, pathOf } from './checked.ts';
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
  self = '';
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
    const answer = expectStatus(await this.#browser.post(`${this.self}/qr/finish`, body), 200);
    this.leave();
    return JSON.parse(answer.body).redirectTo;
  }

  async page(): Promise<void> {
    const page = expectStatus(await this.#browser.open(this.self, 'cross-site'), 200);
    foundIn(page, /(data-screen="waiting")/);
  }

  async listen(): Promise<void> {
    this.#stream = this.#browser.listen(`${this.self}/qr/events?svg=no`);
    const { qr } = await this.#stream.reached('waiting');
    this.#path = pathOf(qr?.url ?? '');
  }

  async landing(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'none'), 200);
    this.#csrf = foundIn(page, CSRF);
  }

  async scan(): Promise<void> {
    this.#path = pathOf(leadsTo(await this.#phone.device.submit(this.#path, { csrf: this.#csrf })));
    await this.#reached('scanned');
  }

  async confirm(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'same-origin'), 200);
    foundIn(page, /(value="approve")/);
    this.#csrf = foundIn(page, CSRF);
  }

  async approve(): Promise<void> {
    leadsTo(await this.#phone.device.submit(this.#path, { csrf: this.#csrf, decision: 'approve', remember: 'yes' }));
    const { checkCode } = await this.#reached('approved');
    if (checkCode === this.#isKnown)
      throw new Error('a check code must be asked for in a new browser, and not in a known one');
  }

  async done(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'same-origin'), 200);
    if (this.#isKnown) foundIn(page, /(class="mark mark-yes")/);
    else
      this.#checkCode = foundIn(page, /class="check-code" dir="ltr"><span>(\d{3}<\/span> <span>\d{3})</).replace(
        /\D/g,
        '',
      );
  }

  async #reached(state: string): Promise<Ticket> {
    if (this.#stream === undefined) throw new Error('the browser does not listen yet');
    return this.#stream.reached(state);
  }
}
