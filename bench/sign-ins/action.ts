/** Plays the whole approval of an action that a client asks for: its requests, those of the browser and of the phone. */
import { Approval, type Phone } from './approval.ts';
import { expectStatus, findInBody, redirectPathOf } from './checked.ts';
import { Device } from './device.ts';
import type { Nodes } from './nodes.ts';
import type { Shop } from './shop.ts';
import type { SignIn, Step } from './sign-in.ts';

export class Action implements SignIn {
  readonly steps: readonly Step[] = [
    ['POST Q/actions', () => this.#ask()],
    ['GET Q/actions/:id', () => this.#visit()],
    ['POST Q/actions/:id', () => this.#open()],
    ['GET Q/actions/:id, code', () => this.#approval.openCodePage()],
    ['GET Q/actions/:id/qr/events', () => this.#approval.listen()],
    ['GET Q/:code', () => this.#approval.openLandingPage()],
    ['POST Q/:code', () => this.#approval.scan()],
    ['GET Q/tickets/:id', () => this.#approval.openConfirmPage()],
    ['POST Q/tickets/:id', () => this.#approval.approve()],
    ['GET Q/tickets/:id, done', () => this.#approval.openDonePage()],
    ['POST Q/actions/:id/qr/finish', () => this.#finish()],
    ['GET Q/actions/:id/result', () => this.#read()],
  ];
  readonly #shop: Shop;
  readonly #browser: Device;
  readonly #phone: Phone;
  readonly #approval: Approval;

  constructor(nodes: Nodes, shop: Shop, phone: Phone) {
    this.#shop = shop;
    this.#browser = new Device(nodes);
    this.#phone = phone;
    this.#approval = new Approval({ device: this.#browser, isKnown: false }, phone);
  }

  async #ask(): Promise<void> {
    this.#approval.codePagePath = await this.#shop.ask(this.#phone.accountId, this.#browser.address);
  }

  /** Opens the page, which offers to show the action in this browser. */
  async #visit(): Promise<void> {
    const page = expectStatus(await this.#browser.open(this.#approval.codePagePath, 'cross-site'), 200);
    findInBody(page, /(data-open)/);
  }

  /** Shows the action in this browser, as the script of the page does. */
  async #open(): Promise<void> {
    redirectPathOf(await this.#browser.submit(this.#approval.codePagePath, {}));
  }

  async #finish(): Promise<void> {
    await this.#approval.finish();
  }

  async #read(): Promise<void> {
    await this.#shop.readApproval(this.#approval.codePagePath, this.#browser.address);
  }
}
