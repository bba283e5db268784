import { expect } from 'chai';
import { PhoneError, type Ticket, type TicketView } from '../../src/phone/index.ts';
import { until } from '../support/until.ts';
import { type Answerer, ProofServer, type SeenRequest } from './proof-server.ts';
import { CODE, viewOf } from './views.ts';

/** A server with one ticket. Like the provider, it answers a long poll when the ticket changes. */
class TicketServer {
  view: TicketView = viewOf();
  readonly server: ProofServer;
  readonly polls: { readonly request: SeenRequest; readonly end: () => void }[] = [];

  private constructor(server: ProofServer) {
    this.server = server;
  }

  static async during(act: (served: TicketServer, ticket: Ticket) => Promise<void>, more?: Answerer): Promise<void> {
    const holder: { served?: TicketServer } = {};
    const answer: Answerer = async (request) => (await more?.(request)) ?? holder.served?.answer(request);
    await ProofServer.during(answer, async (server) => {
      holder.served = new TicketServer(server);
      await act(holder.served, await (await server.phone()).scan(CODE));
    });
  }

  change(changes: Partial<TicketView>): void {
    this.view = { ...this.view, version: this.view.version + 1, ...changes };
    for (const { end } of this.polls.splice(0)) end();
  }

  /** Waits until the library has sent a long poll. */
  async untilPolled(): Promise<void> {
    await until(() => this.polls.length > 0);
  }

  async answer(request: SeenRequest): Promise<{ body: TicketView; status?: number }> {
    const after = new URL(request.target, 'http://any').searchParams.get('after');
    if (after !== null && Number(after) >= this.view.version)
      await new Promise<void>((end) => this.polls.push({ request, end }));
    return { body: this.view };
  }
}

/** Collects the states of a watch. */
async function statesOf(views: AsyncIterable<TicketView>): Promise<string[]> {
  const states: string[] = [];
  for await (const { state } of views) states.push(state);
  return states;
}

describe('a ticket of the library for apps', () => {
  it('is scanned, and has the details of the request', () =>
    TicketServer.during(async ({ server }, ticket) => {
      expect(ticket.asked).to.deep.equal(viewOf());
      expect([ticket.id, ticket.isOver]).to.deep.equal(['a-ticket', false]);
      const [{ method, target, body } = {}] = server.requests;
      expect({ method, target }).to.deep.equal({ method: 'POST', target: '/qr/api/scans' });
      expect(body).to.deep.equal({ actions: true, code: CODE });
    }));

  it('sends each decision', () =>
    TicketServer.during(async ({ server }, ticket) => {
      await ticket.approve();
      await ticket.approve({ remember: true, proof: { id: 'assertion' } });
      await ticket.approve({ duration: '8h' });
      await ticket.deny();
      await ticket.report();
      await ticket.unable();
      const sent = server.requests.slice(1);
      expect(new Set(sent.map(({ method, target }) => `${method} ${target}`))).to.deep.equal(
        new Set(['POST /qr/api/tickets/a-ticket/decision']),
      );
      expect(sent.map(({ body }) => body)).to.deep.equal([
        { decision: 'approve', remember: false },
        { decision: 'approve', remember: true, proof: { id: 'assertion' } },
        { decision: 'approve', remember: false, duration: '8h' },
        { decision: 'deny', remember: false },
        { decision: 'report', remember: false },
        { decision: 'unable', remember: false },
      ]);
    }));

  it('has the state in the answer to a decision', () =>
    TicketServer.during(async (served, ticket) => {
      served.change({ state: 'approved', checkCode: '123456' });
      expect((await ticket.approve()).checkCode).to.equal('123456');
      expect(ticket.asked.state).to.equal('approved');
    }));
});

describe('the report of a ticket that is gone', () => {
  it('is answered without a body, and the ticket is denied', () =>
    TicketServer.during(
      async (served, ticket) => {
        served.change({ state: 'approved', checkCode: '123456' });
        await ticket.refresh();
        const { state, reason, checkCode, expiresIn, client } = await ticket.report();
        expect({ state, reason, checkCode, expiresIn }).to.deep.equal({
          state: 'denied',
          reason: 'report',
          checkCode: undefined,
          expiresIn: undefined,
        });
        expect(client.name).to.equal('Shop');
        expect(ticket.isOver).to.equal(true);
      },
      ({ method, target }) => (method === 'POST' && target.endsWith('/decision') ? { status: 204 } : undefined),
    ));
});

describe('the watch of a ticket', () => {
  it('yields the current state, each later one, and ends with the last', () =>
    TicketServer.during(async (served, ticket) => {
      const states = statesOf(ticket.watch());
      for (const state of ['approved', 'finished'] as const) {
        await served.untilPolled();
        served.change({ state });
      }
      expect(await states).to.deep.equal(['scanned', 'approved', 'finished']);
      expect(ticket.isOver).to.equal(true);
      expect(await statesOf(ticket.watch())).to.deep.equal(['finished']);
    }));

  it('asks for changes since the version that it has', () =>
    TicketServer.during(async (served, ticket) => {
      served.view = viewOf({ version: 41 });
      await ticket.refresh();
      const states = statesOf(ticket.watch());
      await served.untilPolled();
      expect(served.polls[0]?.request.target).to.equal('/qr/api/tickets/a-ticket?after=41');
      served.change({ state: 'denied', reason: 'person' });
      expect(await states).to.deep.equal(['scanned', 'denied']);
    }));

  it('yields the result of a decision by this app immediately', () =>
    TicketServer.during(async (served, ticket) => {
      const views = ticket.watch();
      await views.next();
      const next = views.next();
      await served.untilPolled();
      // The long poll stays unanswered, as on a connection that has died.
      const [dead] = served.polls.splice(0);
      served.change({ state: 'approved' });
      await ticket.approve();
      expect((await next).value?.state).to.equal('approved');
      expect(dead).to.be.an('object');
      await views.return();
    }));

  it('continues after a refresh if its connection has died in the background', () =>
    TicketServer.during(async (served, ticket) => {
      const states = statesOf(ticket.watch());
      await served.untilPolled();
      served.polls.splice(0);
      await ticket.refresh();
      await served.untilPolled();
      served.change({ state: 'cancelled', reason: 'renewed' });
      expect(await states).to.deep.equal(['scanned', 'cancelled']);
    }));

  it('ends without an error when its signal is aborted', () =>
    TicketServer.during(async (served, ticket) => {
      const controller = new AbortController();
      const states = statesOf(ticket.watch({ signal: controller.signal }));
      await served.untilPolled();
      controller.abort();
      expect(await states).to.deep.equal(['scanned']);
      expect(await statesOf(ticket.watch({ signal: AbortSignal.abort() }))).to.deep.equal([]);
    }));

  it('can run beside another watch', () =>
    TicketServer.during(async (served, ticket) => {
      const both = [statesOf(ticket.watch()), statesOf(ticket.watch())];
      await until(() => served.polls.length === 2);
      served.change({ state: 'expired' });
      expect(await Promise.all(both)).to.deep.equal([
        ['scanned', 'expired'],
        ['scanned', 'expired'],
      ]);
    }));

  it('ends when the ticket is gone and has no version any more', () =>
    TicketServer.during(async (served, ticket) => {
      const states = statesOf(ticket.watch());
      await served.untilPolled();
      served.view = viewOf({ version: 0, state: 'expired' });
      for (const { end } of served.polls) end();
      expect(await states).to.deep.equal(['scanned', 'expired']);
    }));

  it('ignores an answer that a newer answer has overtaken', () =>
    TicketServer.during(async (served, ticket) => {
      served.change({ state: 'approved' });
      await ticket.approve();
      served.view = viewOf({ version: 1 });
      await ticket.refresh();
      expect(ticket.asked.state).to.equal('approved');
    }));

  it('fails with an error that is permanent', () =>
    TicketServer.during(
      async (_served, ticket) => {
        const error = await statesOf(ticket.watch()).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(PhoneError).with.property('code', 'over');
      },
      ({ target }) =>
        target.includes('after') ? { status: 410, body: { error: 'over', error_description: 'over' } } : undefined,
    ));
});

describe('the browsers of an account', () => {
  const entry = {
    id: 'b/1',
    name: 'Chrome',
    system: 'Linux',
    signedInAgo: 60,
    lastUsedAgo: 5,
    clients: [{ id: 'shop', name: 'Shop', hosts: ['shop.example'] }],
  };

  it('are listed, and can be signed out one by one or all together', () =>
    ProofServer.during(
      ({ method }) => (method === 'DELETE' ? { status: 204 } : { body: { browsers: [entry] } }),
      async (server) => {
        const phone = await server.phone();
        const [browser] = await phone.browsers();
        expect(browser).to.deep.include(entry);
        expect(await browser?.signOut()).to.equal(undefined);
        expect(await phone.signOutBrowsers()).to.equal(undefined);
        expect(server.requests.map(({ method, target }) => `${method} ${target}`)).to.deep.equal([
          'GET /qr/api/browsers',
          'DELETE /qr/api/browsers/b%2F1',
          'DELETE /qr/api/browsers',
        ]);
      },
    ));
});
