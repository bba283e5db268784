/** Runs one sign-in that meets a fault in one of the states of its ticket, and continues to its end. */
import { expect } from 'chai';
import { traceOf } from '../../src/ticket/ticket-id.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { eventually } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import {
  ELSEWHERE,
  type ExpectedOutcome,
  type Fault,
  type FaultySite,
  HURRIED,
  OTHER,
  type State,
  VICTIM,
} from './faults.ts';
import { looksIn, STEPS, STEPS_FROM, type Step, unlessNoConnection } from './faults-steps.ts';
import { TicketStream, type TicketView } from './ticket-stream.ts';

/** The device whose requests go to the node that the fault hits. */
export type Side = 'browser' | 'phone';

export type Outcome = Exclude<ExpectedOutcome, 'either'>;

/** A request without an answer fails after this time, so that the error names the request. */
const PATIENCE_MS = 40_000;

const BROWSER_ADDRESS = '203.0.113.7';
/** A phone with another address than the browser needs a check code. */
const PHONE_ADDRESS = '198.51.100.9';

const STATUS: Readonly<Record<ExpectedOutcome, readonly number[]>> = {
  answer: [200],
  'try again': [503],
  either: [200, 503],
  'no connection': [],
};

export class Journey {
  readonly state: State;
  readonly accountId: string;
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
  /** The URL in the QR code. */
  code = '';
  checkCode: string | undefined;
  /** The URL that the browser opens next. */
  next = '';
  /** The result for the RP: an account, or an error. */
  got: string | undefined;
  /** True if the browser has left the interaction of the QR page. */
  hasLeft = false;
  readonly #site: FaultySite;
  readonly #name: string;
  readonly #home: Readonly<Record<Side, number>>;
  readonly #at: Record<Side, number>;
  #streams: TicketStream[] = [];
  #steps: readonly Step[];

  constructor(site: FaultySite, state: State, side: Side, number: number) {
    this.#site = site;
    this.state = state;
    this.accountId = `user${number}`;
    this.#name = `User ${number}`;
    this.#home = side === 'browser' ? { browser: VICTIM, phone: OTHER } : { browser: OTHER, phone: VICTIM };
    this.#at = { ...this.#home };
    this.#steps = STEPS_FROM[state];
    const phoneAddress = state === 'approved with a check code' ? PHONE_ADDRESS : BROWSER_ADDRESS;
    this.browser = new BrowserVisitor(site.nodes.site, undefined, { 'x-forwarded-for': BROWSER_ADDRESS });
    this.phone = new PhoneVisitor(site.nodes.site, undefined, { 'x-forwarded-for': phoneAddress });
    this.#move('browser', this.#home.browser);
    this.#move('phone', this.#home.phone);
  }

  /** The ticket that the phone has scanned, as events name it; undefined if it has scanned none. */
  get ticket(): string | undefined {
    const id = this.phone.at.split('/').at(-1);
    return id ? traceOf(id) : undefined;
  }

  /** Brings the sign-in to its state, and opens an event stream as its page does. */
  async prepare(): Promise<void> {
    const { browser, phone, state } = this;
    if (state === 'expired') this.#move('browser', HURRIED);
    await browser.start();
    this.#move('browser', this.#home.browser);
    await this.#listen();
    const { qr } = (await browser.ticket()) as { qr?: { url: string } };
    this.code = qr?.url ?? '';
    await phone.signInAt(this.code === '' ? `${this.#site.nodes.issuer}/account` : this.code, this.accountId);
    await this.#comeTo(state);
    await this.#waitUntilAllShow(this.#shownState);
  }

  /** Does the acts of the users during the fault: they look at the ticket, and they continue. */
  async meanwhile(fault: Fault, stranger: Stranger): Promise<void> {
    const looking = Promise.all([
      ...looksIn(this.state).map((look) => this.#takeDuringFault(fault, look)),
      this.#listenElsewhere(fault),
      stranger.expectRefusal(this, [404, 503]),
    ]);
    // A browser that will leave the page looks before it continues, because it cannot look afterwards. Otherwise it
    // does both at the same time.
    if (fault.goesOn || this.state === 'redeemed') await looking;
    await Promise.all([looking, this.#goOn(fault)]);
  }

  /** Does the acts of the users after the fault, to the end of the sign-in. */
  async afterwards(fault: Fault, stranger: Stranger): Promise<void> {
    const { loses = [], losesEverything = false } = fault;
    this.#move('browser', this.#home.browser);
    this.#move('phone', this.#home.phone);
    if (loses.includes(this.state)) await this.#startAgain(losesEverything);
    else await this.#catchUp(stranger);
    while (this.#steps.length > 0) await this.#nextStep();
    expect(this.got, 'the result for the RP').to.equal(this.state === 'denied' ? 'access_denied' : this.accountId);
    for (const stream of this.#streams) stream.close();
  }

  goTo(location: string): void {
    this.next = new URL(location, this.#site.nodes.issuer).href;
  }

  page(): Promise<Answer> {
    return this.browser.agent.get(this.browser.at, { headers: { accept: 'text/html' } });
  }

  /** Sends a request and classifies its answer. @throws Error if the answer is wrong */
  async ask(what: string, request: () => Promise<Answer>, isRight: (answer: Answer) => boolean): Promise<Outcome> {
    const answer = await request().catch(unlessNoConnection);
    if (answer === undefined) return 'no connection';
    if (answer.status === 503 && Number(answer.headers.get('retry-after')) > 0) return 'try again';
    if (answer.status !== 503 && isRight(answer)) return 'answer';
    throw new Error(`${what} is answered with ${answer.status}: ${answer.location} ${answer.text.slice(0, 500)}`);
  }

  /** Returns true if the answer is a ticket in one of these states, shown to its approver. */
  isOwn(answer: Answer, ...states: string[]): boolean {
    if (answer.status !== 200) return false;
    const { state, account } = answer.json();
    return states.includes(`${state}`) && account === this.#name;
  }

  /** The state as the browser's page names it. */
  get #shownState(): string {
    if (this.state === 'renewed after a scan') return 'waiting';
    return this.state === 'approved with a check code' ? 'approved' : this.state;
  }

  async #comeTo(state: State): Promise<void> {
    if (state === 'waiting' || state === 'expired') return;
    const then: Partial<Record<State, readonly Step[]>> = {
      approved: [STEPS.approve],
      'approved with a check code': [STEPS.approve],
      redeemed: [STEPS.approve, STEPS.finish],
      denied: [STEPS.deny],
      'renewed after a scan': [STEPS.renew],
    };
    for (const step of [STEPS.scan, ...(then[state] ?? [])]) {
      expect(await step.take(this), step.what).to.equal('answer');
    }
  }

  /** Takes a step during the fault. @throws Error if its outcome is not the one that the fault allows */
  async #takeDuringFault(fault: Fault, { what, who, does, take }: Step): Promise<Outcome> {
    const isHit = fault.hits === 'all nodes' || this.#at[who] === VICTIM;
    const expected = isHit ? (does === 'records' ? undefined : fault[does]) : 'answer';
    const outcome = await take(this);
    const isExpected =
      expected === undefined || outcome === expected || (expected === 'either' && outcome !== 'no connection');
    if (!isExpected) throw new Error(`${what}: got "${outcome}" instead of "${expected}"`);
    return outcome;
  }

  /**
   * Takes the next step. If the fault has `goesOn`, takes more steps until one does not succeed. A step that gets no
   * connection is repeated at another node, as a proxy would do.
   */
  async #goOn(fault: Fault): Promise<void> {
    for (let [step] = this.#steps; step !== undefined; [step] = this.#steps) {
      let outcome = await this.#takeDuringFault(fault, step);
      if (outcome === 'no connection') {
        this.#move(step.who, ELSEWHERE);
        outcome = await this.#takeDuringFault(fault, step);
      }
      if (outcome !== 'answer') return;
      this.#steps = this.#steps.slice(1);
      if (!fault.goesOn) return;
    }
  }

  /** Opens a stream at a node that has not watched this sign-in before. */
  async #listenElsewhere(fault: Fault): Promise<void> {
    const expected = STATUS[fault.hits === 'all nodes' ? fault.looking : 'answer'];
    expect(await this.#listen(ELSEWHERE), 'a new event stream').to.be.oneOf(expected);
  }

  /** Expects that every listening page and a new page show the current ticket. */
  async #catchUp(stranger: Stranger): Promise<void> {
    if (this.hasLeft) return this.#waitUntilAllShow(this.state === 'denied' ? 'denied' : 'redeemed');
    await this.#until(STEPS.ticket);
    await stranger.expectRefusal(this, [404]);
    expect(await this.#listen(), 'a new event stream').to.equal(200);
    await this.#waitUntilAllShowTicket();
    expect(
      this.#streams.some(({ ended }) => !ended),
      'a page that listens',
    ).to.equal(true);
  }

  /** Repeats the next step until it succeeds, and expects that the pages show the change. */
  async #nextStep(): Promise<void> {
    const [step] = this.#steps;
    if (step === undefined) return;
    // Make changes at another node than the one at which the page listens.
    if (step.does === 'changing' && step.who === 'browser') this.#move('browser', ELSEWHERE);
    await this.#until(step);
    this.#steps = this.#steps.slice(1);
    if (step.does === 'changing') await this.#waitUntilAllShowTicket();
    this.#move('browser', this.#home.browser);
  }

  /** Expects that the sign-in is lost and that browser and phone learn this. Then the same users start a new sign-in. */
  async #startAgain(losesEverything: boolean): Promise<void> {
    const { browser, phone } = this;
    await this.#until({ ...STEPS.page, take: () => this.ask('the page', () => this.page(), isGone) });
    expect((await this.page()).text, 'the way back to the app').to.contain('href="http://rp.localhost');
    expect((await browser.agent.get(`${browser.at}/qr`)).status).to.equal(404);
    expect((await browser.finish()).status).to.equal(404);
    expect(await this.#listen()).to.equal(404);
    if (this.next !== '') expect((await browser.agent.get(this.next)).status).to.equal(400);
    if (losesEverything) {
      // The phone may be at another node, which reaches the store a little later than the node of the browser.
      const at = phone.at === '' ? `${this.#site.nodes.issuer}/qr/devices` : phone.at;
      const look = async (): Promise<number> => (await phone.look(at)).status;
      await eventually('the phone gets the answer that it is signed out', async () => (await look()) !== 503);
      expect(await look()).to.equal(401);
      await this.#waitUntilAllShow('expired');
    }
    for (const stream of this.#streams.splice(0)) stream.close();

    const page = await browser.start();
    if (!page.text.includes('data-qr-login')) {
      // The session was written although the answer was an error, so the browser is already signed in.
      this.next = browser.at;
      this.#steps = STEPS_FROM.redeemed.slice(1);
      return;
    }
    this.code = await browser.code();
    if (losesEverything) await phone.signInAt(this.code, this.accountId);
    expect(await this.#listen()).to.equal(200);
    this.#steps = this.state === 'denied' ? [STEPS.scan, STEPS.deny, ...STEPS_FROM.denied] : STEPS_FROM.waiting;
  }

  /** Opens a stream for another page of this browser. @returns the status of the answer */
  async #listen(node: number = this.#at.browser): Promise<number> {
    const url = `${this.browser.at}/qr/events`;
    const cookie = await this.browser.agent.jar.getCookieString(url);
    const page = new Agent({ cookie, 'x-forwarded-for': BROWSER_ADDRESS }, this.#networkTo(node));
    const stream = await page.stream(url);
    const { status } = stream.response;
    if (status === 200) this.#streams.push(new TicketStream(stream));
    else stream.close();
    return status;
  }

  async #waitUntilAllShowTicket(): Promise<void> {
    const { state, version } = await this.browser.ticket();
    // An expired ticket may be deleted, and then has no version.
    await this.#waitUntilAllShow(`${state}`, (shown) => state === 'expired' || shown.version === version);
  }

  async #waitUntilAllShow(state: string, and: (shown: TicketView) => boolean = () => true): Promise<void> {
    const isIt = (shown: TicketView): boolean => shown.state === state && and(shown);
    await Promise.all(this.#streams.map((stream) => stream.waitFor(state, isIt)));
  }

  /** Repeats a step until it succeeds, as a 503 asks for. */
  async #until({ what, take }: Step): Promise<void> {
    await eventually(what, async () => (await take(this)) === 'answer');
  }

  #move(who: Side, node: number): void {
    this.#at[who] = node;
    this[who].network = this.#networkTo(node);
  }

  #networkTo(node: number): typeof fetch {
    const network = this.#site.nodes.networkTo(node);
    return (input, init = {}) => network(input, { signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  }
}

/** A foreign browser and phone. They know all URLs of a sign-in, but have only their own cookies. */
export class Stranger {
  readonly #browser: BrowserVisitor;
  readonly #phone: PhoneVisitor;
  readonly #number: number;

  constructor(site: FaultySite, number: number) {
    this.#number = number;
    this.#browser = new BrowserVisitor(site.nodes.site, site.nodes.networkTo(ELSEWHERE));
    this.#phone = new PhoneVisitor(site.nodes.site, site.nodes.networkTo(ELSEWHERE));
  }

  async prepare(): Promise<void> {
    await this.#browser.start();
    await this.#phone.signInAt(await this.#browser.code(), `user${this.#number}`);
  }

  /** Expects that every request of the strangers is answered with one of these statuses. */
  async expectRefusal({ browser, phone }: Journey, statuses: readonly number[]): Promise<void> {
    const own = await this.#browser.agent.jar.getCookieString(`${this.#browser.at}/qr`);
    const headers = { cookie: own, accept: 'application/json' };
    const answers = await Promise.all([
      this.#browser.agent.get(`${browser.at}/qr`, { headers }),
      this.#browser.agent.post(`${browser.at}/qr/finish`, { json: {}, headers }),
      this.#browser.agent.post(`${browser.at}/qr/renew`, { json: {}, headers }),
      ...(phone.at === '' ? [] : [this.#phone.look(phone.at)]),
    ]);
    for (const { url, status } of answers) expect(status, `a stranger at ${url.pathname}`).to.be.oneOf(statuses);
  }
}

function isGone({ status }: Answer): boolean {
  return status === 404;
}
