import { ActionActs } from './actions.ts';
import { BrowserActs } from './browser.ts';
import type { CeremonyPorts } from './change.ts';
import { PhoneActs } from './phone.ts';

/** The acts of the users and of the requesters of actions, one function for each, on top of the pure transitions. */
export class Ceremony {
  readonly browser: BrowserActs;
  readonly phone: PhoneActs;
  readonly actions: ActionActs;

  constructor(ports: CeremonyPorts) {
    this.browser = new BrowserActs(ports);
    this.phone = new PhoneActs(ports);
    this.actions = new ActionActs(ports);
  }
}
