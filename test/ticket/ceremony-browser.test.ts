import { expect } from 'chai';
import { alice, bob, browserOf, DEADLINE, ENDS_AT, LIFETIMES, NOW, refused, signInRequest } from './builders.ts';
import { FOREIGN, INTERACTION, ME, setUpScene, showing, UNKNOWN } from './scene.ts';

describe('the browser shows a code', () => {
  const scene = setUpScene();

  it('the first time: a waiting ticket, and the watchers hear of it', async () => {
    const { ticket, changed } = await scene().browser.show(showing());
    expect(ticket).to.deep.include({ ...showing(), state: 'waiting', version: 1, shownAt: NOW, since: NOW });
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.scan);
    expect(changed).to.equal(true);
    expect(scene().heard).to.deep.equal([ticket]);
  });

  it('again: the same ticket as it stands, whatever the page says now', async () => {
    const id = await scene().scanned();
    const later = showing({ request: signInRequest({ scopes: ['everything'] }), endsAt: ENDS_AT + 1 });
    const { ticket, changed } = await scene().browser.show(later);
    expect(ticket).to.deep.include({ id, state: 'scanned', request: signInRequest(), endsAt: ENDS_AT });
    expect(changed).to.equal(false);
    expect(scene().heard).to.have.length(2);
  });

  it('again after it was denied or redeemed: that one, as nothing may follow it unasked', async () => {
    const id = await scene().scanned();
    await scene().phone.deny(id, alice());
    scene().now += 10 * LIFETIMES.finish;
    expect((await scene().browser.show(showing())).ticket).to.deep.include({ id, state: 'denied' });
  });

  it('again once its time has passed: a new one, whose versions go on', async () => {
    const id = await scene().shown();
    scene().now += LIFETIMES.scan;
    const { ticket, changed } = await scene().browser.show(showing());
    expect(ticket).to.deep.include({ state: 'waiting', version: 3 });
    expect(ticket.id).not.to.equal(id);
    expect(changed).to.equal(true);
    expect((await scene().browser.look(ME))?.id).to.equal(ticket.id);
  });

  it('not one that somebody else shows: for another browser it is unknown', async () => {
    await scene().shown();
    const other = showing({ browser: browserOf(FOREIGN.binding) });
    expect((await refused(scene().browser.show(other))).code).to.equal('not_found');
  });

  it('not in an interaction that is over', async () => {
    scene().now = ENDS_AT;
    expect((await refused(scene().browser.show(showing()))).code).to.equal('over');
    expect(scene().heard).to.deep.equal([]);
  });

  it('a new one where the old one dies in the very moment that it is replaced', async () => {
    await scene().shown();
    scene().now += LIFETIMES.scan;
    scene().store.beforeSwap = () => scene().keyv.clear();
    const { ticket, changed } = await scene().browser.show(showing());
    expect(ticket.state).to.equal('waiting');
    expect(changed).to.equal(true);
  });
});

describe('the browser looks', () => {
  const scene = setUpScene();

  it('at its ticket', async () => {
    const id = await scene().shown();
    expect(await scene().browser.look(ME)).to.deep.include({ id, state: 'waiting' });
  });

  it('at nothing where there is none', async () => {
    expect(await scene().browser.look(UNKNOWN)).to.equal(undefined);
  });

  it("not at another browser's", async () => {
    await scene().shown();
    expect((await refused(scene().browser.look(FOREIGN))).code).to.equal('not_found');
  });
});

describe('the browser renews', () => {
  const scene = setUpScene();

  it('before anybody scanned: the old one is cancelled, a new one waits', async () => {
    const old = await scene().shown();
    const { ticket, changed } = await scene().browser.renew(showing());
    expect(ticket).to.deep.include({ state: 'waiting', version: 3 });
    expect(changed).to.equal(true);
    expect(await scene().store.find(old)).to.deep.include({ state: 'cancelled', because: 'renewed', version: 2 });
    expect(scene().heard.map(({ state, version }) => `${state} ${version}`)).to.deep.equal(['waiting 1', 'waiting 3']);
  });

  it('in one step: those who watch hear of the new one, and never of how the old one ended', async () => {
    const { id } = await scene().approved();
    const before = scene().heard.length;
    const { ticket } = await scene().browser.renew(showing());
    expect(scene().heard.slice(before)).to.deep.equal([ticket]);
    const ended = await scene().store.find(id);
    expect(ended).to.deep.include({ state: 'cancelled', because: 'renewed', approver: alice(), since: NOW });
    expect(ended?.deadline).to.equal(NOW + LIFETIMES.finish);
  });

  it('and learns which live ticket became void by that, and that none did', async () => {
    const id = await scene().scanned();
    expect((await scene().browser.renew(showing())).voided).to.deep.include({ id, state: 'cancelled' });
    scene().now += LIFETIMES.scan;
    expect((await scene().browser.renew(showing())).voided).to.equal(undefined);
    await scene().browser.cancel(ME);
    expect((await scene().browser.renew(showing())).voided).to.equal(undefined);
  });

  it('what it has seen: one that is newer stays', async () => {
    const id = await scene().scanned();
    const { ticket, changed } = await scene().browser.renew(showing(), 1);
    expect(ticket).to.deep.include({ id, state: 'scanned', version: 2 });
    expect(changed).to.equal(false);
    expect((await scene().browser.renew(showing(), 2)).changed).to.equal(true);
  });

  it('while the phone scans the old one: the renewal starts again, and ends what was scanned', async () => {
    const old = await scene().shown();
    scene().store.beforeSwap = () => scene().phone.scan(old, alice());
    const { ticket, voided } = await scene().browser.renew(showing());
    expect(voided).to.deep.include({ id: old, state: 'cancelled', version: 3, approver: alice() });
    expect(ticket.version).to.equal(4);
    expect((await scene().browser.look(ME))?.id).to.equal(ticket.id);
  });

  it('after an approval: that approval is void', async () => {
    const old = await scene().approved();
    const { ticket } = await scene().browser.renew(showing());
    expect((await refused(scene().browser.finish(ME, undefined))).code).to.equal('wrong_state');
    expect((await refused(scene().phone.look(old.id, alice()))).code).to.equal('over');
    expect((await scene().browser.look(ME))?.id).to.equal(ticket.id);
  });

  it('after a scan: the phone hears that it is over', async () => {
    const old = await scene().scanned();
    await scene().browser.renew(showing());
    expect((await refused(scene().phone.approve(old, { approver: alice() }))).code).to.equal('over');
  });

  for (const [name, end] of Object.entries({
    'was denied': async () => {
      await scene().phone.deny(await scene().scanned(), alice());
    },
    'was cancelled': async () => {
      await scene().shown();
      await scene().browser.cancel(ME);
    },
    'has expired': async () => {
      await scene().shown();
      scene().now = DEADLINE + LIFETIMES.scan;
    },
    'is gone': async () => {
      await scene().shown();
      await scene().keyv.clear();
    },
  })) {
    it(`a ticket that ${name}: a new one`, async () => {
      await end();
      const before = scene().heard.length;
      const { ticket, changed } = await scene().browser.renew(showing());
      expect(ticket.state).to.equal('waiting');
      expect(changed).to.equal(true);
      expect(scene().heard.slice(before)).to.deep.equal([ticket]);
    });
  }

  it('not a ticket that was redeemed', async () => {
    await scene().approved();
    await scene().browser.finish(ME, undefined);
    expect((await refused(scene().browser.renew(showing()))).code).to.equal('wrong_state');
    expect((await scene().browser.look(ME))?.state).to.equal('redeemed');
  });

  it("not another browser's ticket", async () => {
    const id = await scene().shown();
    const other = showing({ browser: browserOf(FOREIGN.binding) });
    expect((await refused(scene().browser.renew(other))).code).to.equal('not_found');
    expect(await scene().browser.look(ME)).to.deep.include({ id, state: 'waiting' });
  });

  it('twice at once: both get the same new ticket, or the one after it; one is left', async () => {
    await scene().shown();
    const outcomes = await Promise.all([scene().browser.renew(showing()), scene().browser.renew(showing())]);
    const left = await scene().browser.look(ME);
    expect(left?.state).to.equal('waiting');
    expect(outcomes.map(({ ticket }) => ticket.id)).to.include(left?.id);
    expect(outcomes.map(({ ticket }) => ticket.interaction)).to.deep.equal([INTERACTION, INTERACTION]);
  });
});

describe('the browser cancels', () => {
  const scene = setUpScene();

  it('a ticket that is alive: the phone hears that it is over', async () => {
    const id = await scene().scanned();
    const outcome = await scene().browser.cancel(ME);
    expect(outcome?.changed).to.equal(true);
    expect(outcome?.ticket).to.deep.include({ id, state: 'cancelled', because: 'browser', approver: alice() });
    expect((await refused(scene().phone.look(id, alice()))).code).to.equal('over');
    expect(scene().heard.at(-1)?.state).to.equal('cancelled');
  });

  it('again: nothing changes', async () => {
    await scene().shown();
    const first = await scene().browser.cancel(ME);
    const second = await scene().browser.cancel(ME);
    expect(second).to.deep.equal({ ticket: first?.ticket, changed: false });
    expect(scene().heard).to.have.length(2);
  });

  it('what was redeemed stays redeemed', async () => {
    await scene().approved();
    await scene().browser.finish(ME, undefined);
    expect((await refused(scene().browser.cancel(ME))).code).to.equal('wrong_state');
    expect((await scene().browser.look(ME))?.state).to.equal('redeemed');
  });

  it('what has expired stays as it is', async () => {
    await scene().shown();
    scene().now += LIFETIMES.scan;
    expect((await scene().browser.cancel(ME))?.changed).to.equal(false);
  });

  it('nothing where there is none', async () => {
    expect(await scene().browser.cancel(UNKNOWN)).to.equal(undefined);
  });

  it("not another browser's ticket", async () => {
    await scene().shown();
    expect((await refused(scene().browser.cancel(FOREIGN))).code).to.equal('not_found');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
  });
});

describe('the person signs in at the browser itself', () => {
  const scene = setUpScene();
  const here = { demand: { request: signInRequest(), shownAt: NOW }, said: {} };

  it('and the ticket, which is not needed any more, is cancelled', async () => {
    const id = await scene().scanned();
    const outcome = await scene().browser.signInHere(ME, bob(), here);
    expect(outcome?.ticket).to.deep.include({ id, state: 'cancelled', because: 'browser' });
    expect((await refused(scene().phone.approve(id, { approver: alice() }))).code).to.equal('over');
  });

  it('where there is no ticket: there is nothing to cancel', async () => {
    expect(await scene().browser.signInHere(UNKNOWN, alice(), here)).to.equal(undefined);
  });

  it('with what the request demands of an approver, and nothing less', async () => {
    await scene().shown();
    const request = signInRequest({ requirements: { essentialAcr: ['strong'] } });
    const demanding = { ...here, demand: { request, shownAt: NOW } };
    expect((await refused(scene().browser.signInHere(ME, alice(), demanding))).code).to.equal('insufficient_acr');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
    await scene().browser.signInHere(ME, alice({ acr: 'strong' }), demanding);
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it('in the place of another account, where they agree to sign that out', async () => {
    await scene().shown();
    const bobs = { ...ME, accountId: 'bob' };
    expect((await refused(scene().browser.signInHere(bobs, alice(), here))).code).to.equal('account_switch');
    expect((await scene().browser.look(ME))?.state).to.equal('waiting');
    await scene().browser.signInHere(bobs, alice(), { ...here, said: { switchAccount: true } });
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it("not after the phone's approval was used", async () => {
    await scene().approved();
    await scene().browser.finish(ME);
    expect((await refused(scene().browser.signInHere(ME, bob(), here))).code).to.equal('wrong_state');
  });
});
