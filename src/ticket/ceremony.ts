import { BrowserActs } from './browser.ts';
import type { CeremonyPorts } from './change.ts';
import { PhoneActs } from './phone.ts';

/** The QR sign-in from the users' side: one function for each act of a user, on top of the pure transitions. */
export class Ceremony {
  readonly browser: BrowserActs;
  readonly phone: PhoneActs;

  constructor(ports: CeremonyPorts) {
    this.browser = new BrowserActs(ports);
    this.phone = new PhoneActs(ports);
  }
}
