/** Signs many users in over three nodes on one Redis while a fault recurs, and counts how their sign-ins end. */
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE_MS } from '../../src/stores/deadline.ts';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { PhoneVisitor } from '../support/visitors.ts';
import type { CrowdFault, CrowdSite } from './crowd-faults.ts';
import { crowdNetwork, type Traffic } from './crowd-network.ts';
import { BROWSER_ADDRESS, CrowdSignIn, type CrowdUser, type SignInOutcome } from './crowd-sign-in.ts';

/**
 * The number of phones that are signed in beforehand is this number times the rate of sign-ins. A phone has one sign-in
 * at a time. If all phones are busy, more are added.
 */
const PHONES = 8;
const PHONES_AT_A_TIME = 4;
const MOST_PEOPLE = 3_000;
/** The address of phones that are not near the browser, so that their sign-ins need the check code. */
const PHONE_ADDRESS = '198.51.100.9';
/** One of this many sign-ins is replayed. */
const REPLAYS_EVERY = 3;

export interface CrowdSize {
  /** Sign-ins a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Milliseconds that the nodes' stores may take. @default as in a deployment */
  readonly storePatience?: number;
}

/** The ends of the sign-ins of a crowd. Each list describes the sign-ins or requests to which its name applies. */
export interface CrowdCount {
  readonly signIns: number;
  readonly faults: number;
  readonly approved: number;
  /**
   * The sign-ins after which the RP had to send the browser to the provider again, because it got no tokens for the
   * authorization code.
   */
  readonly askedAgain: number;
  /** The sign-ins that failed although the phone had been told that it had approved. */
  readonly lost: readonly string[];
  /** The sign-ins that ended before the approval. */
  readonly notApproved: readonly string[];
  /** The sign-ins that got the tokens of another account. */
  readonly wrong: readonly string[];
  /** The authorization codes, URLs and tickets that counted twice. */
  readonly double: readonly string[];
  /** The requests without an answer in time. */
  readonly unanswered: readonly string[];
  /** The failed sign-ins that ended without a cause that a page or an error names. */
  readonly unexplained: readonly string[];
  readonly traffic: Traffic;
}

/** Runs one crowd with its own nodes and Redis. */
export async function runCrowd(fault: CrowdFault, size: CrowdSize): Promise<CrowdCount> {
  // Redis writes to its file before it answers. A system crash can lose the last second of writes, a kill cannot.
  const redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
  let nodes: Nodes | undefined;
  try {
    nodes = await Nodes.start({
      redis: { url: redis.url },
      people: MOST_PEOPLE,
      qrLogin: { assess: 'by address' },
      storePatience: size.storePatience ?? PATIENCE_MS,
    });
    return await new Crowd({ nodes, redis }).run(fault, size);
  } finally {
    redis.resume();
    await nodes?.stop();
    await redis.stop();
  }
}

class Crowd {
  readonly #site: CrowdSite;
  readonly #traffic: Traffic = { requests: 0, repeated: 0, unanswered: [], longest: 0, slowest: '' };
  readonly #network: typeof fetch;
  readonly #free: CrowdUser[] = [];
  readonly #outcomes: { readonly user: CrowdUser; readonly outcome: SignInOutcome }[] = [];
  #people = 0;

  constructor(site: CrowdSite) {
    this.#site = site;
    this.#network = crowdNetwork(site.nodes.roundRobin(), this.#traffic);
  }

  async run(fault: CrowdFault, { rate, seconds }: CrowdSize): Promise<CrowdCount> {
    await this.#prepare(PHONES * rate);
    const stop = new AbortController();
    const faults = this.#injectUntil(stop.signal, fault);
    const running: Promise<void>[] = [];
    const began = performance.now();
    for (let number = 0; number < rate * seconds; number++) {
      await pause(Math.max(0, began + (number * 1000) / rate - performance.now()));
      running.push(this.#signIn(number));
    }
    // The faults continue until the last sign-in has ended.
    await Promise.all(running);
    stop.abort();
    return this.#count(await faults);
  }

  async #prepare(phones: number): Promise<void> {
    for (let round = 0; round < phones / PHONES_AT_A_TIME; round++) {
      const users = Array.from({ length: PHONES_AT_A_TIME }, () => this.#newUser());
      this.#free.push(...(await Promise.all(users)));
    }
    await this.#site.nodes.site.metadata?.();
  }

  async #newUser(): Promise<CrowdUser> {
    const number = this.#people++;
    const accountId = `user${number}`;
    const address = number % 2 === 0 ? BROWSER_ADDRESS : PHONE_ADDRESS;
    const phone = new PhoneVisitor(this.#site.nodes.site, this.#network, { 'x-forwarded-for': address });
    await phone.signInAt(`${this.#site.nodes.issuer}/account`, accountId);
    return { phone, accountId };
  }

  async #signIn(number: number): Promise<void> {
    const user = this.#free.shift() ?? (await this.#newUser());
    const replays = number % REPLAYS_EVERY === 0;
    const outcome = await new CrowdSignIn(this.#site.nodes.site, this.#network, user, replays).run();
    this.#outcomes.push({ user, outcome });
    // The phone of a stuck sign-in may still wait for an answer.
    if (outcome.problem === undefined) this.#free.push(user);
  }

  /** Injects the fault at random moments. @returns the number of faults, once the last one has ended */
  async #injectUntil(signal: AbortSignal, { begin, every, lasts }: CrowdFault): Promise<number> {
    let faults = 0;
    while (await waitRandomly(every, signal)) {
      const end = await begin(this.#site);
      await waitRandomly(lasts, signal);
      await end();
      faults += 1;
    }
    return faults;
  }

  #count(faults: number): CrowdCount {
    const all = this.#outcomes.map(({ outcome }) => outcome);
    const failed = all.flatMap(({ isApproved, problem }) => (problem ? [{ isApproved, ...problem }] : []));
    const describe = (list: readonly { readonly what: string }[]): string[] => list.map(({ what }) => what);
    return {
      faults,
      signIns: all.length,
      approved: all.filter(({ isApproved }) => isApproved).length,
      askedAgain: all.filter(({ askedAgain, problem }) => askedAgain && !problem).length,
      lost: describe(failed.filter(({ isApproved }) => isApproved)),
      notApproved: describe(failed.filter(({ isApproved }) => !isApproved)),
      wrong: this.#outcomes.flatMap(({ user, outcome: { got } }) =>
        got === undefined || got === user.accountId ? [] : [`${got} instead of ${user.accountId}`],
      ),
      double: [...all.flatMap(({ replayed }) => replayed), ...this.#finishedTwice()],
      unanswered: this.#traffic.unanswered,
      unexplained: describe(failed.filter(({ isExplained }) => !isExplained)),
      traffic: this.#traffic,
    };
  }

  #finishedTwice(): string[] {
    const tickets = this.#site.nodes.events('qr_login.finished').map(({ ticket }) => `${ticket}`);
    return tickets.filter((ticket, index) => tickets.indexOf(ticket) !== index).map((ticket) => `ticket ${ticket}`);
  }
}

/** Waits for a random time. @returns false if the signal was aborted meanwhile */
async function waitRandomly([shortest, longest]: readonly [number, number], signal: AbortSignal): Promise<boolean> {
  const time = shortest + Math.random() * (longest - shortest);
  return pause(time, true, { signal }).catch(() => false);
}
