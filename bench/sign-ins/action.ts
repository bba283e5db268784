/**
 * Plays the whole approval of an action. The provider itself asks for it, when the browser that then shows the code
 * opens a page of the provider.
 */
import { Approval, type Phone } from './approval.ts';
import { redirectPathOf } from './checked.ts';
import { Device } from './device.ts';
import type { Nodes } from './nodes.ts';
import type { SignIn, Step } from './sign-in.ts';

export class Action implements SignIn {
  readonly steps: readonly Step[] = [
    ['GET /ask', () => this.#ask()],
    ['GET Q/actions/:id', () => this.#approval.openCodePage()],
    ['GET Q/actions/:id/qr/events', () => this.#approval.listen()],
    ['GET Q/:code', () => this.#approval.openLandingPage()],
    ['POST Q/:code', () => this.#approval.scan()],
    ['GET Q/tickets/:id', () => this.#approval.openConfirmPage()],
    ['POST Q/tickets/:id', () => this.#approval.approve()],
    ['GET Q/tickets/:id, done', () => this.#approval.openDonePage()],
    ['POST Q/actions/:id/qr/finish', () => this.#finish()],
  ];
  readonly #browser: Device;
  readonly #phone: Phone;
  readonly #approval: Approval;

  constructor(nodes: Nodes, phone: Phone) {
    this.#browser = new Device(nodes);
    this.#phone = phone;
    this.#approval = new Approval({ device: this.#browser, isKnown: false }, phone);
  }

  async #ask(): Promise<void> {
    const answer = await this.#browser.open(`/ask?account=${this.#phone.accountId}`, 'none');
    this.#approval.codePagePath = redirectPathOf(answer, 302);
  }

  async #finish(): Promise<void> {
    await this.#approval.finish();
  }
}
