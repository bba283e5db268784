import { expect } from 'chai';
import type { Answer } from '../support/agent.ts';
import { traceIn, UNKNOWN_CODE } from '../support/codes.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

const ROUNDS = sizeOfSuite({ short: 1, full: 100 });
/** Races between different acts need fewer rounds, because the same compare-and-swap decides them. */
const MIXED_ROUNDS = sizeOfSuite({ short: 1, full: 25 });
const AT_ONCE = 50;
const PHONES = 5;

/** The names of the events that may follow the scan of a ticket. */
const ENDS = ['approved', 'denied', 'finished', 'cancelled'] as const;

describe('fifty concurrent requests at two nodes', function () {
  // A round has three hundred requests.
  this.timeout(sizeOfSuite({ short: 60_000, full: 600_000 }));
  let redis: RedisServer;
  let nodes: Nodes;
  let network: typeof fetch;
  /** The phones, each signed in with a different account. */
  let phones: PhoneVisitor[];

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({ redis: { url: redis.url }, nodes: [{}, {}], people: PHONES });
    network = nodes.roundRobin();
    phones = await Promise.all(
      Array.from({ length: PHONES }, async (_, index) => {
        const phone = new PhoneVisitor(nodes.site, network);
        await phone.signInAt(`${nodes.issuer}/account`, `user${index}`);
        return phone;
      }),
    );
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await redis?.stop();
  });

  it('let one of five accounts scan, and give the others the same answer as for an unknown code', async () => {
    const tickets: string[] = [];
    await repeatRounds(ROUNDS, async () => {
      const { code, ticket } = await showCode();
      const forms = await Promise.all(
        phones.map(async (phone) => ({ phone, csrf: `${(await phone.look(code)).json().csrf}` })),
      );

      const answers = await Promise.all(
        repeat(forms).map(async ({ phone, csrf }) => ({ phone, answer: await phone.post(code, { csrf }) })),
      );

      const won = answers.filter(({ answer }) => answer.status === 200);
      expect(won).to.have.length(AT_ONCE / PHONES);
      expect(new Set(won.map(({ phone }) => phone)).size).to.equal(1);
      tickets.push(ticket);
      const unknown = withoutDate(await phoneOf(0).post(`${nodes.issuer}/qr/${UNKNOWN_CODE}`, { csrf: 'any' }));
      expect(unknown).to.include({ status: 404 });
      for (const { answer } of answers) if (answer.status !== 200) expect(withoutDate(answer)).to.deep.equal(unknown);
    });
    await nodes.untilAllPrinted();
    const scanned = nodes.events('qr_login.scanned').map(({ ticket }) => ticket);
    expect(scanned).to.have.members(tickets);
  });

  it('let the first decision win, and give equal decisions the same answer', async () => {
    const ends = new Map<string, string>();
    await repeatRounds(ROUNDS, async (round) => {
      const { browser, code, ticket } = await showCode();
      const phone = phoneOf(round);
      await phone.scan(code);

      const answers = await Promise.all(
        times(AT_ONCE, (index) => phone.decide((index + round) % 2 === 0 ? 'approve' : 'deny')),
      );

      expect(tally(answers)).to.deep.equal({ 200: AT_ONCE / 2, 409: AT_ONCE / 2 });
      const { state } = await browser.ticket();
      // A refusal contains the decision that won.
      for (const answer of answers) expect(answer.json().state).to.equal(state);
      ends.set(ticket, `${state}`);
    });
    const endsOf = await readEnds();
    for (const [ticket, state] of ends) expect(endsOf.get(ticket)).to.deep.equal([state]);
  });

  it('get the same answer if they all finish the same sign-in, which is finished once', async () => {
    const tickets: string[] = [];
    await repeatRounds(ROUNDS, async (round) => {
      const { browser, ticket } = await scanAndApprove(round);

      const answers = await Promise.all(times(AT_ONCE, () => browser.finish()));

      expect(tally(answers)).to.deep.equal({ 200: AT_ONCE });
      expect(new Set(answers.map(({ text }) => text)).size).to.equal(1);
      const { redirectTo } = answers[0]?.json() ?? {};
      expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(userOf(round));
      tickets.push(ticket);
    });
    const endsOf = await readEnds();
    for (const ticket of tickets) expect(endsOf.get(ticket)).to.deep.equal(['approved', 'finished']);
  });

  it('finish a sign-in or cancel it, but never both', async () => {
    const ends = new Map<string, string>();
    await repeatRounds(MIXED_ROUNDS, async (round) => {
      const { browser, ticket } = await scanAndApprove(round);

      const answers = await Promise.all(
        times(AT_ONCE, (index) =>
          (index + round) % 2 === 0 ? browser.finish() : browser.post(`${browser.at}/cancel`, {}),
        ),
      );

      // A request after the winner gets the winner's answer, or the answer that the ticket has ended.
      expect(Object.keys(tally(answers)).every((status) => ['200', '409', '410'].includes(status))).to.equal(true);
      const ways = new Set(answers.filter(({ status }) => status === 200).map(({ text }) => text));
      expect(ways.size).to.equal(1);
      const [way = '{}'] = ways;
      const { redirectTo }: Record<string, unknown> = JSON.parse(way);
      const { callback } = nodes.site.client;
      const end = await browser.agent.follow(`${redirectTo}`, ({ href }) => href.startsWith(callback));
      const cancelled = end.location.startsWith(callback);
      if (cancelled) expect(new URL(end.location).searchParams.get('error')).to.equal('access_denied');
      else expect((await browser.tokens(end.url)).claims()?.sub).to.equal(userOf(round));
      ends.set(ticket, cancelled ? 'cancelled' : 'finished');
    });
    const endsOf = await readEnds();
    for (const [ticket, end] of ends) expect(endsOf.get(ticket)).to.deep.equal(['approved', end]);
  });

  it('finish a sign-in or renew its code, but never both', async () => {
    const ends = new Map<string, string>();
    await repeatRounds(MIXED_ROUNDS, async (round) => {
      const { browser, ticket } = await scanAndApprove(round);

      const answers = await Promise.all(
        times(AT_ONCE, async (index) => {
          const finish = (index + round) % 2 === 0;
          return { finish, answer: await (finish ? browser.finish() : browser.post(`${browser.at}/qr/renew`, {})) };
        }),
      );

      const finished = answers.filter(({ finish, answer }) => finish && answer.status === 200);
      const renewed = answers.filter(({ finish, answer }) => !finish && answer.status === 200);
      // All requests of one kind succeed, and none of the other kind.
      expect([finished.length, renewed.length]).to.have.members([AT_ONCE / 2, 0]);
      const { state } = await browser.ticket();
      expect(state).to.equal(finished.length > 0 ? 'redeemed' : 'waiting');
      ends.set(ticket, finished.length > 0 ? 'finished' : 'cancelled');
    });
    const endsOf = await readEnds();
    for (const [ticket, end] of ends) expect(endsOf.get(ticket)).to.deep.equal(['approved', end]);
  });

  async function showCode(): Promise<{ browser: BrowserVisitor; code: string; ticket: string }> {
    const browser = new BrowserVisitor(nodes.site, network);
    await browser.start();
    const code = await browser.code();
    return { browser, code, ticket: traceIn(code) };
  }

  async function scanAndApprove(round: number): Promise<{ browser: BrowserVisitor; ticket: string }> {
    const { browser, code, ticket } = await showCode();
    const phone = phoneOf(round);
    await phone.scan(code);
    expect(await phone.approve()).to.include({ state: 'approved' });
    return { browser, ticket };
  }

  function phoneOf(round: number): PhoneVisitor {
    const phone = phones[round % PHONES];
    if (phone === undefined) throw new RangeError('there are no phones');
    return phone;
  }

  /** Returns the events after the scan of each ticket, from all nodes. */
  async function readEnds(): Promise<Map<string | undefined, string[]>> {
    await nodes.untilAllPrinted();
    const ends = new Map<string | undefined, string[]>();
    for (const event of ENDS) {
      for (const { ticket } of nodes.events(`qr_login.${event}`)) {
        ends.set(ticket, [...(ends.get(ticket) ?? []), event]);
      }
    }
    return ends;
  }
});

function userOf(round: number): string {
  return `user${round % PHONES}`;
}

async function repeatRounds(count: number, act: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < count; round++) await act(round);
}

function times<T>(count: number, act: (index: number) => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, (_, index) => act(index));
}

/** Repeats a list until it has {@link AT_ONCE} elements. */
function repeat<T>(some: readonly T[]): T[] {
  return Array.from({ length: AT_ONCE / some.length }, () => some).flat();
}

function tally(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Returns an answer without its date. */
function withoutDate({ status, text, headers }: Answer): Record<string, unknown> {
  return { status, text, headers: [...headers].filter(([name]) => name !== 'date') };
}
