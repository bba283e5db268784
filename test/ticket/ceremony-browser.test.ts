import { expect } from 'chai';
import { alice, awaitRefusal, bob, browserOf, DEADLINE, ENDS_AT, LIFETIMES, NOW, signInRequest } from './builders.ts';
import { FOREIGN, INTERACTION, ME, setUpScene, showInput, UNKNOWN } from './scene.ts';

describe('a browser that shows a code', () => {
  const scene = setUpScene();

  it('for the first time gets a waiting ticket, and the listeners are notified', async () => {
    const { ticket, changed } = await scene().browser.show(showInput());
    expect(ticket).to.deep.include({ ...showInput(), state: 'waiting', version: 1, shownAt: NOW, since: NOW });
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.scan);
    expect(changed).to.equal(true);
    expect(scene().heard).to.deep.equal([ticket]);
  });

  it('again gets the same ticket in its current state, even if the request has changed', async () => {
    const id = await scene().scanCode();
    const later = showInput({ request: signInRequest({ scopes: ['everything'] }), endsAt: ENDS_AT + 1 });
    const { ticket, changed } = await scene().browser.show(later);
    expect(ticket).to.deep.include({ id, state: 'scanned', request: signInRequest(), endsAt: ENDS_AT });
    expect(changed).to.equal(false);
    expect(scene().heard).to.have.length(2);
  });

  it('again after a denial gets the denied ticket, and no new one without a renewal', async () => {
    const id = await scene().scanCode();
    await scene().phone.deny(id, alice());
    scene().now += 10 * LIFETIMES.finish;
    expect((await scene().browser.show(showInput())).ticket).to.deep.include({ id, state: 'denied' });
  });

  it('again after the ticket expired gets a new ticket, which continues the versions', async () => {
    const id = await scene().showCode();
    scene().now += LIFETIMES.scan;
    const { ticket, changed } = await scene().browser.show(showInput());
    expect(ticket).to.deep.include({ state: 'waiting', version: 3 });
    expect(ticket.id).not.to.equal(id);
    expect(changed).to.equal(true);
    expect((await scene().browser.look(ME))?.id).to.equal(ticket.id);
  });

  it('in the interaction of another browser gets not_found', async () => {
    await scene().showCode();
    const other = showInput({ browser: browserOf(FOREIGN.binding) });
    expect((await awaitRefusal(scene().browser.show(other))).code).to.equal('not_found');
  });

  it('in an interaction that is over is refused', async () => {
    scene().now = ENDS_AT;
    expect((await awaitRefusal(scene().browser.show(showInput()))).code).to.equal('over');
    expect(scene().heard).to.deep.equal([]);
  });

  it('gets a new ticket even if the old one disappears while it is replaced', async () => {
    await scene().showCode();
    scene().now += LIFETIMES.scan;
    scene().store.beforeSwap = () => scene().keyv.clear();
    const { ticket, changed } = await scene().browser.show(showInput());
    expect(ticket.state).to.equal('waiting');
    expect(changed).to.equal(true);
  });
});

describe('a browser that looks at its ticket', () => {
  const scene = setUpScene();

  it('sees the ticket', async () => {
    const id = await scene().showCode();
    expect(await scene().browser.look(ME)).to.deep.include({ id, state: 'waiting' });
  });

  it('gets undefined if there is no ticket', async () => {
    expect(await scene().browser.look(UNKNOWN)).to.equal(undefined);
  });

  it('gets not_found for the ticket of another browser', async () => {
    await scene().showCode();
    expect((await awaitRefusal(scene().browser.look(FOREIGN))).code).to.equal('not_found');
  });
});

describe('a browser that renews its ticket', () => {
  const scene = setUpScene();

  it('before a scan gets a new waiting ticket, and the old one is cancelled', async () => {
    const old = await scene().showCode();
    const { ticket, changed } = await scene().browser.renew(showInput());
    expect(ticket).to.deep.include({ state: 'waiting', version: 3 });
    expect(changed).to.equal(true);
    expect(await scene().store.find(old)).to.deep.include({ state: 'cancelled', because: 'renewed', version: 2 });
    expect(scene().heard.map(({ state, version }) => `${state} ${version}`)).to.deep.equal(['waiting 1', 'waiting 3']);
  });

  it('renews it in one step: the listeners are notified of the new ticket, and not of the end of the old one', async () => {
    const { id } = await scene().approveSignIn();
    const before = scene().heard.length;
    const { ticket } = await scene().browser.renew(showInput());
    expect(scene().heard.slice(before)).to.deep.equal([ticket]);
    const ended = await scene().store.find(id);
    expect(ended).to.deep.include({ state: 'cancelled', because: 'renewed', approver: alice(), since: NOW });
    expect(ended?.deadline).to.equal(NOW + LIFETIMES.finish);
  });

  it('gets the ticket that it replaced, if that was live', async () => {
    const id = await scene().scanCode();
    expect((await scene().browser.renew(showInput())).voided).to.deep.include({ id, state: 'cancelled' });
    scene().now += LIFETIMES.scan;
    expect((await scene().browser.renew(showInput())).voided).to.equal(undefined);
    await scene().browser.cancel(ME);
    expect((await scene().browser.renew(showInput())).voided).to.equal(undefined);
  });

  it('keeps a ticket that is newer than the version that it has seen', async () => {
    const id = await scene().scanCode();
    const { ticket, changed } = await scene().browser.renew(showInput(), 1);
    expect(ticket).to.deep.include({ id, state: 'scanned', version: 2 });
    expect(changed).to.equal(false);
    expect((await scene().browser.renew(showInput(), 2)).changed).to.equal(true);
  });

  it('while the phone scans the old one also ends the scanned ticket', async () => {
    const old = await scene().showCode();
    scene().store.beforeSwap = () => scene().phone.scan(old, alice());
    const { ticket, voided } = await scene().browser.renew(showInput());
    expect(voided).to.deep.include({ id: old, state: 'cancelled', version: 3, approver: alice() });
    expect(ticket.version).to.equal(4);
    expect((await scene().browser.look(ME))?.id).to.equal(ticket.id);
  });

  it('after an approval cancels the approval', async () => {
    const old = await scene().approveSignIn();
    const { ticket } = await scene().browser.renew(showInput());
    expect((await awaitRefusal(scene().browser.finish(ME, undefined))).code).to.equal('wrong_state');
    expect((await awaitRefusal(scene().phone.look(old.id, alice()))).code).to.equal('over');
    expect((await scene().browser.look(ME))?.id).to.equal(ticket.id);
  });

  it("after a scan makes the phone's approval fail with over", async () => {
    const old = await scene().scanCode();
    await scene().browser.renew(showInput());
    expect((await awaitRefusal(scene().phone.approve(old, { approver: alice() }))).code).to.equal('over');
  });

  for (const [name, end] of Object.entries({
    'was denied': async () => {
      await scene().phone.deny(await scene().scanCode(), alice());
    },
    'was cancelled': async () => {
      await scene().showCode();
      await scene().browser.cancel(ME);
    },
    'has expired': async () => {
      await scene().showCode();
      scene().now = DEADLINE + LIFETIMES.scan;
    },
    'is gone': async () => {
      await scene().showCode();
      await scene().keyv.clear();
    },
  })) {
    it(`gets a new ticket if the old one ${name}`, async () => {
      await end();
      const before = scene().heard.length;
      const { ticket, changed } = await scene().browser.renew(showInput());
      expect(ticket.state).to.equal('waiting');
      expect(changed).to.equal(true);
      expect(scene().heard.slice(before)).to.deep.equal([ticket]);
    });
  }

  it('is refused if the ticket was redeemed', async () => {
    await scene().approveSignIn();
    await scene().browser.finish(ME, undefined);
    expect((await awaitRefusal(scene().browser.renew(showInput()))).code).to.equal('wrong_state');
    expect((await scene().browser.look(ME))?.state).to.equal('redeemed');
  });

  it('gets not_found for the ticket of another browser', async () => {
    const id = await scene().showCode();
    const other = showInput({ browser: browserOf(FOREIGN.binding) });
    expect((await awaitRefusal(scene().browser.renew(other))).code).to.equal('not_found');
    expect(await scene().browser.look(ME)).to.deep.include({ id, state: 'waiting' });
  });

  it('twice at the same time leaves exactly one waiting ticket', async () => {
    await scene().showCode();
    const outcomes = await Promise.all([scene().browser.renew(showInput()), scene().browser.renew(showInput())]);
    const left = await scene().browser.look(ME);
    expect(left?.state).to.equal('waiting');
    expect(outcomes.map(({ ticket }) => ticket.id)).to.include(left?.id);
    expect(outcomes.map(({ ticket }) => ticket.interaction)).to.deep.equal([INTERACTION, INTERACTION]);
  });
});

describe('a browser that cancels', () => {
  const scene = setUpScene();

  it("a live ticket ends it, and makes the phone's requests fail with over", async () => {
    const id = await scene().scanCode();
    const outcome = await scene().browser.cancel(ME);
    expect(outcome?.changed).to.equal(true);
    expect(outcome?.ticket).to.deep.include({ id, state: 'cancelled', because: 'browser', approver: alice() });
    expect((await awaitRefusal(scene().phone.look(id, alice()))).code).to.equal('over');
    expect(scene().heard.at(-1)?.state).to.equal('cancelled');
  });

  it('again changes nothing', async () => {
    await scene().showCode();
    const first = await scene().browser.cancel(ME);
    const second = await scene().browser.cancel(ME);
    expect(second).to.deep.equal({ ticket: first?.ticket, changed: false });
    expect(scene().heard).to.have.length(2);
  });

  it('a redeemed ticket is refused, and the ticket stays redeemed', async () => {
    await scene().approveSignIn();
    await scene().browser.finish(ME, undefined);
    expect((await awaitRefusal(scene().browser.cancel(ME))).code).to.equal('wrong_state');
    expect((await scene().browser.look(ME))?.state).to.equal('redeemed');
  });

  it('an expired ticket changes nothing', async () => {
    await scene().showCode();
    scene().now += LIFETIMES.scan;
    expect((await scene().browser.cancel(ME))?.changed).to.equal(false);
  });

  it('without a ticket gets undefined', async () => {
    expect(await scene().browser.cancel(UNKNOWN)).to.equal(undefined);
  });

  it('the ticket of another browser gets not_found', async () => {
    await scene().showCode();
    expect((await awaitRefusal(scene().browser.cancel(FOREIGN))).code).to.equal('not_found');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
  });
});

describe('a sign-in at the browser itself', () => {
  const scene = setUpScene();
  const here = { demand: { request: signInRequest(), shownAt: NOW }, input: {} };

  it('cancels the ticket, because it is not needed any more', async () => {
    const id = await scene().scanCode();
    const outcome = await scene().browser.signInHere(ME, bob(), here);
    expect(outcome?.ticket).to.deep.include({ id, state: 'cancelled', because: 'browser' });
    expect((await awaitRefusal(scene().phone.approve(id, { approver: alice() }))).code).to.equal('over');
  });

  it('cancels nothing if there is no ticket', async () => {
    expect(await scene().browser.signInHere(UNKNOWN, alice(), here)).to.equal(undefined);
  });

  it('must meet the same requirements as an approver', async () => {
    await scene().showCode();
    const request = signInRequest({ requirements: { essentialAcr: ['strong'] } });
    const demanding = { ...here, demand: { request, shownAt: NOW } };
    expect((await awaitRefusal(scene().browser.signInHere(ME, alice(), demanding))).code).to.equal('insufficient_acr');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
    await scene().browser.signInHere(ME, alice({ acr: 'strong' }), demanding);
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it('replaces another account only if the user agrees to sign that account out', async () => {
    await scene().showCode();
    const bobs = { ...ME, accountId: 'bob' };
    expect((await awaitRefusal(scene().browser.signInHere(bobs, alice(), here))).code).to.equal('account_switch');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
    await scene().browser.signInHere(bobs, alice(), { ...here, input: { switchAccount: true } });
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it("is refused after the phone's approval was redeemed", async () => {
    await scene().approveSignIn();
    await scene().browser.finish(ME);
    expect((await awaitRefusal(scene().browser.signInHere(ME, bob(), here))).code).to.equal('wrong_state');
  });
});
