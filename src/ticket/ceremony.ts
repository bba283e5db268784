import { ActionActs } from './actions.ts';
import { BrowserActs } from './browser.ts';
import { PhoneActs } from './phone.ts';
import { AskActs } from './requests/ask-acts.ts';
import { RequestActs } from './requests/request-acts.ts';
import { type RequestPorts, RequestQueue } from './requests/request-queue.ts';

/** The acts of the users and of the requesters of actions, one function for each, on top of the pure transitions. */
export class Ceremony {
  readonly browser: BrowserActs;
  readonly phone: PhoneActs;
  readonly actions: ActionActs;
  readonly requests: RequestActs;
  readonly asks: AskActs;
  readonly queue: RequestQueue;

  constructor(ports: RequestPorts) {
    this.browser = new BrowserActs(ports);
    this.phone = new PhoneActs(ports);
    this.actions = new ActionActs(ports);
    this.queue = new RequestQueue(ports);
    this.requests = new RequestActs(ports, this.queue);
    this.asks = new AskActs(ports, this.browser, this.queue);
  }
}
