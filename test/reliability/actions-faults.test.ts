/** Tests actions that meet each fault while they wait, after the scan, and after the approval. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { CLIENT_SECRET, SHOP } from '../fixtures/test-client.ts';
import type { Answer } from '../support/agent.ts';
import { isFullSuite } from '../support/full-suite.ts';
import { eventually } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { ELSEWHERE, FAULTS, type Fault, FaultySite, OTHER, VICTIM } from './faults.ts';

const TIMEOUT_MS = 240_000;
const PEOPLE = 60;
/** The faults of the short suite: one of a node, one of the connections, one of Redis. */
const IN_SHORT_SUITE = [
  'a node is killed',
  "all of the nodes' other connections to Redis are killed, again and again for 1 s",
  'Redis is stopped for a while and goes on',
];
const STATES = ['waiting', 'scanned', 'approved'] as const;
type State = (typeof STATES)[number];

/**
 * The faults that an action survives. A loss of data is left out, because Redis then also loses the action, and the
 * client must ask again.
 */
const SURVIVED = FAULTS.filter(
  ({ what, losesEverything }) => !losesEverything && (isFullSuite || IN_SHORT_SUITE.includes(what)),
);

describe('the fault matrix of actions:', function () {
  this.timeout(TIMEOUT_MS);
  let site: FaultySite;
  let token: string;
  let people = 0;

  before(async () => {
    site = await FaultySite.start(PEOPLE);
    token = await tokenOf(site);
  });

  after(() => site?.stop());

  for (const fault of SURVIVED) {
    describe(`when ${fault.what},`, () => {
      let ends: readonly PromiseSettledResult<string>[] = [];

      before(async () => {
        const journeys = STATES.map((state) => new ActionJourney(site, token, state, people++));
        await Promise.all(journeys.map((journey) => journey.prepare()));
        ends = await runDuringFault(site, fault, journeys);
      });

      STATES.forEach((state, index) => {
        it(`an action that is ${state} is approved in the end, and its client learns of the approval`, () => {
          const end = ends[index];
          if (end?.status !== 'fulfilled') throw end?.reason;
          expect(end.value).to.equal('approved');
        });
      });

      it('each action ends once', () => {
        const tickets = site.nodes.events('qr_login.finished').map(({ ticket }) => ticket);
        expect(new Set(tickets).size).to.equal(tickets.length);
      });
    });
  }
});

class ActionJourney {
  readonly #site: FaultySite;
  readonly #token: string;
  readonly #state: State;
  readonly #account: string;
  readonly #browser: BrowserVisitor;
  readonly #phone: PhoneVisitor;
  #url = '';
  #checkCode = '';

  constructor(site: FaultySite, token: string, state: State, number: number) {
    const { nodes } = site;
    this.#site = site;
    this.#token = token;
    this.#state = state;
    this.#account = `user${number}`;
    // The phone has another address than the browser, so that the check code is required.
    const [here, there] = [{ 'x-forwarded-for': '203.0.113.7' }, { 'x-forwarded-for': '198.51.100.9' }];
    this.#browser = new BrowserVisitor(nodes.site, anyOf(nodes.networkTo(VICTIM), nodes.networkTo(ELSEWHERE)), here);
    this.#phone = new PhoneVisitor(nodes.site, anyOf(nodes.networkTo(OTHER), nodes.networkTo(ELSEWHERE)), there);
  }

  async prepare(): Promise<void> {
    const { issuer } = this.#site.nodes;
    const headers = { authorization: `Bearer ${this.#token}` };
    const json = { title: 'Pay', sub: this.#account };
    const asked = await this.#browser.agent.post(`${issuer}/qr/actions`, { headers, json });
    this.#url = `${asked.json().url}`;
    this.#browser.at = this.#url;
    await this.#browser.agent.get(this.#url, { headers: { accept: 'text/html' } });
    await this.#browser.submit(this.#url, {});
    await this.#phone.signInAt(`${issuer}/account`, this.#account);
    if (this.#state !== 'waiting') await this.#scan();
    if (this.#state === 'approved') await this.#approve();
  }

  /** Continues to the end in spite of failures. @returns the state that the client gets */
  async goOn(): Promise<string> {
    if (this.#state === 'waiting') await this.#scan();
    if (this.#state !== 'approved') await this.#approve();
    await persist(() => this.#browser.finish(this.#checkCode));
    const headers = { authorization: `Bearer ${this.#token}` };
    const result = await persist(() => this.#browser.agent.get(`${this.#url}/result?wait=25`, { headers }));
    return `${result.json().state}`;
  }

  async #scan(): Promise<void> {
    const shown = await persist(() => this.#browser.agent.get(`${this.#url}/qr`));
    const { qr } = shown.json() as { qr: { url: string } };
    await persist(() => this.#phone.scan(qr.url));
    await persist(() => this.#phone.look());
  }

  async #approve(): Promise<void> {
    const answer = await persist(() => this.#phone.decide('approve'));
    this.#checkCode = `${answer.json().checkCode}`;
  }
}

/** Repeats a request until it gets an answer other than a 503. A broken connection is not an answer. */
async function persist(ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined;
  await eventually('an answer', async () => {
    answer = await ask().catch(() => undefined);
    return answer !== undefined && answer.status !== 503;
  });
  if (answer === undefined) throw new Error('no answer');
  expect(answer.status, answer.text).to.equal(200);
  return answer;
}

/** Returns a `fetch` that goes to another node if its own refuses the connection, as a proxy does. */
function anyOf(own: typeof fetch, another: typeof fetch): typeof fetch {
  return (input, init) => own(input, init).catch(() => another(input, init));
}

async function runDuringFault(
  site: FaultySite,
  fault: Fault,
  journeys: readonly ActionJourney[],
): Promise<PromiseSettledResult<string>[]> {
  const end = await fault.begin(site);
  const meanwhile = Promise.allSettled(journeys.map((journey) => journey.goOn()));
  await pause(fault.lasts ?? 1_000);
  await end();
  return meanwhile;
}

async function tokenOf({ nodes }: FaultySite): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${SHOP}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'qr_action' });
  const answer = await nodes.networkTo(OTHER)(`${nodes.issuer}/token`, {
    method: 'POST',
    body,
    headers: { authorization },
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
