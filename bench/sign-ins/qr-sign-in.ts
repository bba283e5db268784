/** Plays a whole sign-in by QR, with the requests that the pages and their scripts send. */
import { RP } from '../servers/clients.ts';
import { Approval, type Browser, type Phone } from './approval.ts';
import { Authorization } from './authorization.ts';
import type { Device } from './device.ts';
import type { Nodes } from './nodes.ts';
import type { SignIn, Step } from './sign-in.ts';

export class QrSignIn implements SignIn {
  readonly steps: readonly Step[] = [
    ['GET /auth', () => this.#authorize()],
    ['GET I', () => this.#approval.openCodePage()],
    ['GET I/qr/events', () => this.#approval.listen()],
    ['GET Q/:code', () => this.#approval.openLandingPage()],
    ['POST Q/:code', () => this.#approval.scan()],
    ['GET Q/tickets/:id', () => this.#approval.openConfirmPage()],
    ['POST Q/tickets/:id', () => this.#approval.approve()],
    ['GET Q/tickets/:id, done', () => this.#approval.openDonePage()],
    ['POST I/qr/finish', () => this.#finish()],
    ['GET /auth/:uid', () => this.#resume()],
    ['POST /token', () => this.#token()],
  ];
  readonly #browser: Device;
  readonly #isKnown: boolean;
  readonly #phone: Phone;
  readonly #approval: Approval;
  readonly #authorization: Authorization;
  #redirectTo = '';

  /** @param browser a browser that is not signed in */
  constructor(nodes: Nodes, browser: Browser, phone: Phone) {
    this.#browser = browser.device;
    this.#isKnown = browser.isKnown;
    this.#phone = phone;
    this.#approval = new Approval(browser, phone);
    this.#authorization = new Authorization(nodes, RP);
  }

  /** Returns the request of a browser that polls instead of listening. It may be sent any number of times. */
  poll(query = ''): string {
    return this.#browser.pollOf(`${this.#approval.codePagePath}/qr?svg=no${query}`);
  }

  /** Closes the event stream. */
  leave(): void {
    this.#approval.leave();
  }

  async #authorize(): Promise<void> {
    // While its session lasts, a browser is not asked to sign in.
    if (this.#isKnown) this.#browser.endSession();
    this.#approval.codePagePath = await this.#authorization.begin(this.#browser);
  }

  async #finish(): Promise<void> {
    this.#redirectTo = await this.#approval.finish();
  }

  async #resume(): Promise<void> {
    await this.#authorization.resume(this.#browser, this.#redirectTo);
  }

  async #token(): Promise<void> {
    await this.#authorization.redeem(this.#phone.accountId);
  }
}
