import { BrowserActs } from './browser.ts';
import type { CeremonyPorts } from './change.ts';
import { PhoneActs } from './phone.ts';

/** The QR sign-in as people meet it: one function for each human act, on top of the pure transitions. */
export class Ceremony {
  readonly browser: BrowserActs;
  readonly phone: PhoneActs;

  constructor(ports: CeremonyPorts) {
    this.browser = new BrowserActs(ports);
    this.phone = new PhoneActs(ports);
  }
}
