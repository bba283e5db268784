/** Prepares the simulated users of a measure, and begins their sign-ins. */
import { type BenchClient, PASSWORD_RP, PHONE_CLIENT } from '../servers/clients.ts';
import { Action } from './action.ts';
import { App, AppSignIn } from './app-sign-in.ts';
import type { Phone } from './approval.ts';
import { Device } from './device.ts';
import { DeviceFlow } from './device-flow.ts';
import type { Nodes } from './nodes.ts';
import { newPerson, PasswordSignIn } from './password-sign-in.ts';
import { QrSignIn } from './qr-sign-in.ts';
import { Shop } from './shop.ts';
import { complete } from './sign-in.ts';

/** The number of uses of one phone: so few that they stay within the default limits per account and minute. */
const USES = 8;
/** The number of users that are prepared at the same time. */
const AT_A_TIME = 10;

/** The largest number of simultaneous sign-ins of any measure. */
const MOST_AT_A_TIME = 32;

/** A phone, and a browser that its account has signed in to before. */
interface Couple {
  readonly phone: Phone;
  readonly browser: Device;
}

export class Crowd {
  readonly #nodes: Nodes;
  readonly #fresh: Phone[] = [];
  readonly #couples: Couple[] = [];
  readonly #apps: App[] = [];
  readonly #deviceFlows: Phone[] = [];
  readonly #approvers: Phone[] = [];
  readonly #shop: Shop;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#shop = new Shop(nodes);
  }

  /** Signs in enough phones for this many sign-ins in new browsers. */
  async prepareNew(signIns: number): Promise<void> {
    this.#fresh.push(...(await this.#phones(signIns)));
  }

  /** Signs in enough phones for this many sign-ins in known browsers: each phone signs in to a browser by QR once. */
  async prepareKnown(signIns: number): Promise<void> {
    const couples: Couple[] = [];
    await each(countUsers(signIns / (USES - 1)), AT_A_TIME, async () => {
      const phone = await this.#phone();
      const browser = new Device(this.#nodes);
      await complete(new QrSignIn(this.#nodes, { device: browser, isKnown: false }, phone));
      couples.push({ phone, browser });
    });
    this.#couples.push(...repeatInTurn(couples, USES - 1));
  }

  /** Signs in enough phones for this many actions, and the client that asks for them. */
  async prepareActions(actions: number): Promise<void> {
    await this.#shop.signIn();
    this.#approvers.push(...(await this.#phones(actions)));
  }

  /** Signs in enough apps for this many sign-ins, and as many phones for the device flow. */
  async prepareApps(signIns: number): Promise<void> {
    const apps: App[] = [];
    const phones: Phone[] = [];
    await each(countUsers(signIns / USES), AT_A_TIME, async () => {
      const app = new App(this.#nodes, await this.#phone());
      await app.signIn();
      apps.push(app);
      phones.push(await this.#phone());
    });
    this.#apps.push(...repeatInTurn(apps, USES));
    this.#deviceFlows.push(...repeatInTurn(phones, USES));
  }

  /** Begins a sign-in in a new browser that an app approves. */
  beginWithApp(): AppSignIn {
    return new AppSignIn(this.#nodes, takeNext(this.#apps));
  }

  /** Begins a sign-in by the device flow of oidc-provider, which knows nothing of the plugin. */
  beginDeviceFlow(): DeviceFlow {
    return new DeviceFlow(this.#nodes, takeNext(this.#deviceFlows));
  }

  /** Begins a sign-in in a new browser, which asks for the check code. */
  beginInNewBrowser(): QrSignIn {
    return new QrSignIn(this.#nodes, { device: new Device(this.#nodes), isKnown: false }, takeNext(this.#fresh));
  }

  /** Begins an action in a new browser, which asks for the check code. */
  beginAction(): Action {
    return new Action(this.#nodes, this.#shop, takeNext(this.#approvers));
  }

  /** Begins a sign-in in a known browser, after its session has ended. It asks for no check code. */
  beginInKnownBrowser(): QrSignIn {
    const { phone, browser } = takeNext(this.#couples);
    return new QrSignIn(this.#nodes, { device: browser, isKnown: true }, phone);
  }

  /**
   * Begins a sign-in with a password. The client decides if the page has its own address or is reached through
   * `loginPage`.
   */
  beginWithPassword(client: BenchClient = PASSWORD_RP): PasswordSignIn {
    return new PasswordSignIn(this.#nodes, newPerson(this.#nodes), client);
  }

  async #phones(uses: number): Promise<Phone[]> {
    const phones: Phone[] = [];
    await each(countUsers(uses / USES), AT_A_TIME, async () => {
      phones.push(await this.#phone());
    });
    return repeatInTurn(phones, USES);
  }

  async #phone(): Promise<Phone> {
    const phone = newPerson(this.#nodes);
    await complete(new PasswordSignIn(this.#nodes, phone, PHONE_CLIENT));
    return phone;
  }
}

/** Rounds a number of users up, at least to so many that no user has two simultaneous sign-ins. */
function countUsers(people: number): number {
  return Math.max(Math.ceil(people), 2 * MOST_AT_A_TIME);
}

function repeatInTurn<One>(all: readonly One[], times: number): One[] {
  return Array.from({ length: times }, () => all).flat();
}

function takeNext<One>(prepared: One[]): One {
  const one = prepared.shift();
  if (one === undefined) throw new Error('more users are needed than were prepared');
  return one;
}

/** Calls `act` with each index below `times`, at most `atATime` calls at the same time. */
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
