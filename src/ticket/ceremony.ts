import { ActionActs } from './actions.ts';
import { BrowserActs } from './browser.ts';
import { PhoneActs } from './phone.ts';
import { RequestActs, type RequestPorts } from './requests/request-acts.ts';

/** The acts of the users and of the requesters of actions, one function for each, on top of the pure transitions. */
export class Ceremony {
  readonly browser: BrowserActs;
  readonly phone: PhoneActs;
  readonly actions: ActionActs;
  readonly requests: RequestActs;

  constructor(ports: RequestPorts) {
    this.browser = new BrowserActs(ports);
    this.phone = new PhoneActs(ports);
    this.actions = new ActionActs(ports);
    this.requests = new RequestActs(ports);
  }
}
