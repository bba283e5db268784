/** Opens more tabs of one browser. They share its cookies, and each has its own authorization request. */
import { BrowserPerson, PhonePerson } from './world.ts';

export function openTab({ world, agent }: BrowserPerson): BrowserPerson {
  return Object.assign(new BrowserPerson(world), { agent });
}

export function openTabOnPhone({ world, agent }: PhonePerson): PhonePerson {
  return Object.assign(new PhonePerson(world), { agent });
}
