import { expect } from 'chai';
import { eventually } from '../../../src/stores/contract/eventually.ts';
import type { BackchannelTicket, NotAsked, RequestInput } from '../../../src/ticket/requests/request-acts.ts';
import { keptUntil } from '../../../src/ticket/ticket.ts';
import { alice, awaitRefusal, bob, signInRequest } from '../builders.ts';
import { Scene } from '../scene.ts';

const LASTS_MS = 60_000;

describe('a request without a browser', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
  });

  function ask(more: Partial<RequestInput> = {}): Promise<BackchannelTicket | NotAsked> {
    const request = signInRequest();
    return scene.ceremony.requests.ask({ accountId: 'alice', request, authReqId: 'secret', lasts: LASTS_MS, ...more });
  }

  async function asked(): Promise<BackchannelTicket> {
    const ticket = await ask();
    if (typeof ticket === 'string') throw new Error(ticket);
    return ticket;
  }

  it('waits until its own end, and hides the id with which its client gets the answer', async () => {
    const ticket = await asked();
    expect(ticket).to.include({ state: 'waiting', format: 3, deadline: scene.now + LASTS_MS });
    expect(JSON.stringify(ticket)).not.to.include('secret');
    expect(scene.ceremony.requests.authReqIdOf(ticket)).to.equal('secret');
    expect(keptUntil(ticket)).to.equal(scene.now + LASTS_MS + 10 * 60_000);
  });

  it('can be claimed by each device of its account, and by no other account, and keeps its deadline', async () => {
    const { id, deadline } = await asked();
    expect((await awaitRefusal(scene.phone.scan(id, bob()))).code).to.equal('not_found');
    const first = await scene.phone.scan(id, alice());
    expect(first.ticket).to.include({ state: 'scanned', deadline });
    const second = alice({ sessionUid: 'another session of alice' });
    expect((await scene.phone.scan(id, second)).changed).to.equal(true);
    expect((await awaitRefusal(scene.phone.deny(id, alice()))).reason).to.equal('elsewhere');
    expect((await scene.phone.deny(id, second)).ticket.state).to.equal('denied');
    expect((await awaitRefusal(scene.phone.scan(id, alice()))).code).to.equal('over');
  });

  it('cannot be opened by a browser, and is no action', async () => {
    const { interaction } = await asked();
    expect(await scene.ceremony.actions.look(interaction)).to.equal(undefined);
    const browser = { binding: 'a browser', source: '192.0.2.1' };
    expect((await awaitRefusal(scene.ceremony.actions.open(interaction, browser))).code).to.equal('not_found');
    expect((await awaitRefusal(scene.browser.look({ interaction, binding: 'a browser' }))).code).to.equal('not_found');
  });

  it('is redeemed with its grant once it is approved, and stays denied if it was reported meanwhile', async () => {
    const ticket = await asked();
    await scene.phone.scan(ticket.id, alice());
    await scene.phone.approve(ticket.id, { approver: alice() });
    const settled = await scene.ceremony.requests.settle(ticket, 'a grant');
    expect(settled?.ticket).to.include({ state: 'redeemed', grantId: 'a grant' });
    expect((await scene.ceremony.requests.settle(ticket, 'another'))?.ticket).to.include({ grantId: 'a grant' });

    await scene.ceremony.requests.close(ticket);
    scene.now += LASTS_MS;
    const next = await asked();
    await scene.phone.scan(next.id, alice());
    await scene.phone.approve(next.id, { approver: alice() });
    await scene.phone.report(next.id, alice());
    expect((await scene.ceremony.requests.settle(next, 'a grant'))?.ticket.state).to.equal('denied');
  });

  it('is listed until it is decided, and leaves a later request of its client on the list when it is closed again', async () => {
    const ticket = await asked();
    const listed = async (): Promise<readonly string[]> =>
      (await scene.ceremony.requests.list('alice')).map(({ id }) => id);
    expect(await listed()).to.deep.equal([ticket.id]);
    expect(await scene.ceremony.requests.list('bob')).to.deep.equal([]);
    expect(await ask()).to.equal('pending');
    await scene.phone.scan(ticket.id, alice());
    expect(await listed()).to.deep.equal([ticket.id]);
    const denied = (await scene.phone.deny(ticket.id, alice())).ticket;
    expect(await listed()).to.deep.equal([]);
    await scene.ceremony.requests.close(denied as BackchannelTicket);
    const next = await asked();
    await scene.ceremony.requests.close(denied as BackchannelTicket);
    expect(await listed()).to.deep.equal([next.id]);
  });

  it('is refused if its account has reported its client, or if it comes too soon after earlier ones', async () => {
    const ticket = await asked();
    await scene.phone.scan(ticket.id, alice());
    const { ticket: reported } = await scene.phone.report(ticket.id, alice());
    await scene.ceremony.requests.close(reported as BackchannelTicket);
    expect(await ask()).to.equal('reported');
    expect(await ask({ accountId: 'bob' })).to.be.an('object');
    const other = signInRequest({ client: { id: 'other', name: 'Other' } });
    for (let at = 0; at < 2; at++) {
      expect(await ask({ request: other })).to.be.an('object');
      scene.now += LASTS_MS;
    }
    expect(await ask({ request: other })).to.equal('too soon');
  });

  it('is not on the list if it could not be made, so that its client can ask again', async () => {
    scene.store.beforeCreate = async () => {
      throw new Error('the store does not answer');
    };
    expect(await ask().catch(({ message }) => message)).to.equal('the store does not answer');
    expect(await ask()).to.be.an('object');
  });

  it('leaves the list if its client was refused because the store failed after that', async () => {
    const { write } = scene.notes;
    scene.notes.write = async () => {
      throw new Error('the store does not answer');
    };
    expect(await ask().catch(({ message }) => message)).to.equal('the store does not answer');
    scene.notes.write = write;
    await eventually('is off the list', async () => (await scene.ceremony.requests.list('alice')).length === 0);
    expect(await ask()).to.be.an('object');
  });

  it('does not keep its client from asking once its ticket is gone', async () => {
    const { id } = await asked();
    await scene.keyv.delete(`ticket:${id}`);
    expect(await ask()).to.be.an('object');
  });

  it('does not keep its client from asking once it is decided, even if it was not closed', async () => {
    const { id } = await asked();
    await scene.phone.scan(id, alice());
    await scene.phone.deny(id, alice());
    expect(await ask()).to.be.an('object');
  });

  it('is answered by one caller at a time', async () => {
    const ticket = await asked();
    expect(await scene.ceremony.requests.claimAnswer(ticket, 1_000)).to.equal(true);
    expect(await scene.ceremony.requests.claimAnswer(ticket, 1_000)).to.equal(false);
  });
});
