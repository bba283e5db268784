/** A whole sign-in by QR, with the requests that the pages and their scripts send. */
import { RP } from '../servers/clients.ts';
import { Authorization } from './authorization.ts';
import { expectStatus, foundIn, leadsTo, pathOf } from './checked.ts';
import type { Device } from './device.ts';
import type { EventStream, Ticket } from './event-stream.ts';
import type { Nodes } from './nodes.ts';
import type { SignIn, Step } from './sign-in.ts';

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

export class QrSignIn implements SignIn {
  readonly steps: readonly Step[] = [
    ['GET /auth', () => this.#authorize()],
    ['GET I', () => this.#page()],
    ['GET I/qr/events', () => this.#listen()],
    ['GET Q/:code', () => this.#landing()],
    ['POST Q/:code', () => this.#scan()],
    ['GET Q/tickets/:id', () => this.#confirm()],
    ['POST Q/tickets/:id', () => this.#approve()],
    ['GET Q/tickets/:id, done', () => this.#done()],
    ['POST I/qr/finish', () => this.#finish()],
    ['GET /auth/:uid', () => this.#resume()],
    ['POST /token', () => this.#token()],
  ];
  readonly #browser: Device;
  readonly #isKnown: boolean;
  readonly #phone: Phone;
  readonly #authorization: Authorization;
  #self = '';
  #stream: EventStream | undefined;
  /** The path in the QR code; after the scan, the path of the ticket. */
  #path = '';
  #csrf = '';
  #checkCode = '';
  #redirectTo = '';

  /** @param browser a browser that is not signed in */
  constructor(nodes: Nodes, browser: Browser, phone: Phone) {
    this.#browser = browser.device;
    this.#isKnown = browser.isKnown;
    this.#phone = phone;
    this.#authorization = new Authorization(nodes, RP);
  }

  /** Returns the request of a browser that polls instead of listening. It may be sent any number of times. */
  poll(query = ''): string {
    return this.#browser.pollOf(`${this.#self}/qr?svg=no${query}`);
  }

  /** Closes the event stream. */
  leave(): void {
    this.#stream?.close();
  }

  async #authorize(): Promise<void> {
    // While its session lasts, a browser is not asked to sign in.
    if (this.#isKnown) this.#browser.endSession();
    this.#self = await this.#authorization.begin(this.#browser);
  }

  async #page(): Promise<void> {
    const page = expectStatus(await this.#browser.open(this.#self, 'cross-site'), 200);
    foundIn(page, /(data-screen="waiting")/);
  }

  async #listen(): Promise<void> {
    this.#stream = this.#browser.listen(`${this.#self}/qr/events?svg=no`);
    const { qr } = await this.#stream.reached('waiting');
    this.#path = pathOf(qr?.url ?? '');
  }

  async #landing(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'none'), 200);
    this.#csrf = foundIn(page, CSRF);
  }

  async #scan(): Promise<void> {
    this.#path = pathOf(leadsTo(await this.#phone.device.submit(this.#path, { csrf: this.#csrf })));
    await this.#reached('scanned');
  }

  async #confirm(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'same-origin'), 200);
    foundIn(page, /(value="approve")/);
    this.#csrf = foundIn(page, CSRF);
  }

  async #approve(): Promise<void> {
    leadsTo(await this.#phone.device.submit(this.#path, { csrf: this.#csrf, decision: 'approve', remember: 'yes' }));
    const { checkCode } = await this.#reached('approved');
    if (checkCode === this.#isKnown)
      throw new Error('a check code must be asked for in a new browser, and not in a known one');
  }

  async #done(): Promise<void> {
    const page = expectStatus(await this.#phone.device.open(this.#path, 'same-origin'), 200);
    if (this.#isKnown) foundIn(page, /(class="mark mark-yes")/);
    else
      this.#checkCode = foundIn(page, /class="check-code" dir="ltr"><span>(\d{3}<\/span> <span>\d{3})</).replace(
        /\D/g,
        '',
      );
  }

  async #finish(): Promise<void> {
    const body: Record<string, string> = this.#isKnown ? {} : { checkCode: this.#checkCode };
    const answer = expectStatus(await this.#browser.post(`${this.#self}/qr/finish`, body), 200);
    this.#redirectTo = JSON.parse(answer.body).redirectTo;
    this.leave();
  }

  async #resume(): Promise<void> {
    await this.#authorization.resume(this.#browser, this.#redirectTo);
  }

  async #token(): Promise<void> {
    await this.#authorization.redeem(this.#phone.accountId);
  }

  async #reached(state: string): Promise<Ticket> {
    if (this.#stream === undefined) throw new Error('the browser does not listen yet');
    return this.#stream.reached(state);
  }
}
