/** Several tabs of one browser: they have the same cookies, and each a request of its own. */
import { BrowserPerson, PhonePerson } from './world.ts';

export function tabOf({ world, agent }: BrowserPerson): BrowserPerson {
  return Object.assign(new BrowserPerson(world), { agent });
}

export function tabOnPhone({ world, agent }: PhonePerson): PhonePerson {
  return Object.assign(new PhonePerson(world), { agent });
}
