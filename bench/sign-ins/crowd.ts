/** The people of a measure. */
import { type BenchClient, PASSWORD_RP, PHONE_CLIENT } from '../servers/clients.ts';
import { Device } from './device.ts';
import type { Nodes } from './nodes.ts';
import { newPerson, PasswordSignIn } from './password-sign-in.ts';
import { type Phone, QrSignIn } from './qr-sign-in.ts';
import { complete } from './sign-in.ts';

/** How often a phone may be used within a minute: limits by account stay as they are by default. */
const USES = 8;
/** How many people are prepared at a time. */
const AT_A_TIME = 10;

/** How many sign-ins any measure has at a time. */
const MOST_AT_A_TIME = 32;

/** A phone, and a browser that its account was signed in to before. */
interface Couple {
  readonly phone: Phone;
  readonly browser: Device;
}

export class Crowd {
  readonly #nodes: Nodes;
  readonly #fresh: Phone[] = [];
  readonly #couples: Couple[] = [];

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** Signs in phones for so many sign-ins in new browsers. */
  async prepareNew(signIns: number): Promise<void> {
    const phones: Phone[] = [];
    await each(atLeast(signIns / USES), AT_A_TIME, async () => {
      phones.push(await this.#phone());
    });
    this.#fresh.push(...inTurn(phones, USES));
  }

  /** Signs in phones, and each by QR to a browser that then remembers it, for so many sign-ins in such browsers. */
  async prepareKnown(signIns: number): Promise<void> {
    const couples: Couple[] = [];
    await each(atLeast(signIns / (USES - 1)), AT_A_TIME, async () => {
      const phone = await this.#phone();
      const browser = new Device(this.#nodes);
      await complete(new QrSignIn(this.#nodes, { device: browser, isKnown: false }, phone));
      couples.push({ phone, browser });
    });
    this.#couples.push(...inTurn(couples, USES - 1));
  }

  /** A sign-in in a browser that has never been here: the check code is asked for. */
  newBrowser(): QrSignIn {
    return new QrSignIn(this.#nodes, { device: new Device(this.#nodes), isKnown: false }, taken(this.#fresh));
  }

  /** A sign-in in a browser that comes back after its session has ended: a tap is enough. */
  knownBrowser(): QrSignIn {
    const { phone, browser } = taken(this.#couples);
    return new QrSignIn(this.#nodes, { device: browser, isKnown: true }, phone);
  }

  /** A sign-in with a password, on its page at an address of its own, or where `loginPage` leads to. */
  password(client: BenchClient = PASSWORD_RP): PasswordSignIn {
    return new PasswordSignIn(this.#nodes, newPerson(this.#nodes), client);
  }

  async #phone(): Promise<Phone> {
    const phone = newPerson(this.#nodes);
    await complete(new PasswordSignIn(this.#nodes, phone, PHONE_CLIENT));
    return phone;
  }
}

/** Nobody signs in twice at a time. */
function atLeast(people: number): number {
  return Math.max(Math.ceil(people), 2 * MOST_AT_A_TIME);
}

function inTurn<One>(all: readonly One[], times: number): One[] {
  return Array.from({ length: times }, () => all).flat();
}

function taken<One>(prepared: One[]): One {
  const one = prepared.shift();
  if (one === undefined) throw new Error('more people are needed than were prepared');
  return one;
}

/** Does something so many times, some of them at a time. */
export async function each(times: number, atATime: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < times) {
      const index = next;
      next += 1;
      await act(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, times) }, work));
}
