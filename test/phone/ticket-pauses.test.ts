import { expect } from 'chai';
import { type Fetch, Phone, type PhoneError, type TicketView } from '../../src/phone/index.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { viewOf } from './views.ts';

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: string;
}

const SAME: Reply = { status: 200, body: viewOf() };
const LAST: Reply = { status: 200, body: viewOf({ version: 2, state: 'finished' }) };
const TROUBLE: Reply = { status: 503, body: { error: 'store_unavailable', error_description: 'later' } };
const LIMITED: Reply = {
  status: 429,
  retryAfter: '20',
  body: { error: 'too_many_requests', error_description: 'slowly' },
};

/**
 * Runs a watch whose polls get these replies.
 * @returns the seconds between the polls, the states that the watch yields, and the codes of the errors that it reports
 */
async function watchOver(
  replies: readonly Reply[],
): Promise<{ pauses: number[]; states: string[]; troubles: string[] }> {
  const time = VirtualTime.begin();
  try {
    const polledAt: number[] = [];
    const fetch: Fetch = async (url) => {
      const isPoll = url.includes('after');
      const reply = isPoll ? (replies[polledAt.length] ?? LAST) : SAME;
      if (isPoll) polledAt.push(Date.now());
      const headers = new Headers(reply.retryAfter ? { 'Retry-After': reply.retryAfter } : {});
      return { status: reply.status, headers, text: async () => JSON.stringify(reply.body) };
    };
    const signer = { publicJwk: { kty: 'EC' }, sign: () => new Uint8Array(64) };
    const phone = new Phone({ issuer: 'https://id.example', accessToken: 'a token', signer, fetch });
    const [states, troubles]: [string[], string[]] = [[], []];
    const watch = async (views: AsyncIterable<TicketView>): Promise<void> => {
      for await (const { state } of views) states.push(state);
    };
    const ticket = await phone.ticket('t');
    const onTrouble = ({ code }: PhoneError): void => {
      expect(Date.now(), 'told at once').to.equal(polledAt.at(-1));
      troubles.push(code);
    };
    let hasEnded = false;
    const watched = watch(ticket.watch({ onTrouble })).finally(() => {
      hasEnded = true;
    });
    while (!hasEnded) await time.pass(500);
    await watched;
    const pauses = polledAt.slice(1).map((at, index) => Math.round((at - (polledAt[index] ?? 0)) / 100) / 10);
    return { pauses, states, troubles };
  } finally {
    time.end();
  }
}

describe('the pauses of a watch', () => {
  it('double with each failure up to 15 s, and the watch continues afterwards', async () => {
    const { pauses, states, troubles } = await watchOver([...Array(6).fill(TROUBLE), SAME, TROUBLE, LAST]);
    expect(pauses).to.deep.equal([1, 2, 4, 8, 15, 15, 1, 1]);
    expect(states).to.deep.equal(['scanned', 'finished']);
    expect(troubles).to.deep.equal(Array(7).fill('store_unavailable'));
  });

  it('are as long as the provider says', async () => {
    expect(await watchOver([LIMITED, LAST])).to.deep.equal({
      pauses: [20],
      states: ['scanned', 'finished'],
      troubles: ['too_many_requests'],
    });
  });

  it('are a second if long polls are answered immediately, as by some proxies', async () => {
    expect((await watchOver([SAME, SAME, SAME, LAST])).pauses).to.deep.equal([1, 1, 1]);
  });
});
