import { expect } from 'chai';
import { checkCodeOf } from '../../src/ticket/check-code.ts';
import { newTicketId } from '../../src/ticket/ticket-id.ts';
import { alice, bob, LIFETIMES, NOW, refusal, refused, signInRequest } from './builders.ts';
import { INTERACTION, ME, setUpScene, showing } from './scene.ts';

const yes = { approver: alice(), checkCode: false };

describe('the phone reads a code', () => {
  const scene = setUpScene();

  it('fresh from the screen: which ticket, and that it is fresh', async () => {
    const id = await scene().shown();
    expect(scene().phone.read(scene().codes.show(id, scene().now).code)).to.deep.equal({ id, fresh: true });
  });

  it('off an old picture: which ticket, and that it is not fresh', async () => {
    const id = await scene().shown();
    const { code } = scene().codes.show(id, scene().now);
    scene().now += 40_000;
    expect(scene().phone.read(code)).to.deep.equal({ id, fresh: false });
  });

  it('that is none: not found', () => {
    expect(refusal(() => scene().phone.read('no code')).code).to.equal('not_found');
    expect(refusal(() => scene().phone.read('')).code).to.equal('not_found');
  });
});

describe('the phone scans', () => {
  const scene = setUpScene();

  it('a waiting ticket: it is theirs', async () => {
    const id = await scene().shown();
    const { ticket, changed } = await scene().phone.scan(id, alice());
    expect(ticket).to.deep.include({ id, state: 'scanned', version: 2, approver: alice() });
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.decide);
    expect(changed).to.equal(true);
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('again: the same ticket, and its deadline stays', async () => {
    const id = await scene().scanned();
    scene().now += 1_000;
    const { ticket, changed } = await scene().phone.scan(id, alice());
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.decide);
    expect(changed).to.equal(false);
    expect(scene().heard).to.have.length(2);
  });

  it('again after the decision: it is not waiting for a scan', async () => {
    const { id } = await scene().approved();
    expect((await refused(scene().phone.scan(id, alice()))).code).to.equal('wrong_state');
  });

  it('again when it is over: they hear that', async () => {
    const id = await scene().scanned();
    scene().now += LIFETIMES.decide;
    expect((await refused(scene().phone.scan(id, alice()))).code).to.equal('over');
  });

  it("another one's ticket: the same answer as for an unknown and for an expired one, word for word", async () => {
    const id = await scene().scanned();
    const elsewhere = alice({ sessionUid: 'another session of alice' });
    const foreign = await refused(scene().phone.scan(id, bob()));
    const other = await refused(scene().phone.scan(id, elsewhere));
    const unknown = await refused(scene().phone.scan(newTicketId(INTERACTION), bob()));
    scene().now += LIFETIMES.decide;
    const foreignExpired = await refused(scene().phone.scan(id, bob()));
    await scene().browser.renew(showing());
    const waiting = (await scene().browser.look(ME))?.id ?? '';
    scene().now += LIFETIMES.scan;
    const expired = await refused(scene().phone.scan(waiting, bob()));
    for (const refusal of [foreign, other, foreignExpired, expired]) {
      expect({ code: refusal.code, message: refusal.message }).to.deep.equal({
        code: 'not_found',
        message: unknown.message,
      });
    }
  });
});

describe('the phone looks', () => {
  const scene = setUpScene();

  it('at what it scanned, approved, denied or had redeemed', async () => {
    const id = await scene().scanned();
    expect((await scene().phone.look(id, alice())).state).to.equal('scanned');
    await scene().phone.approve(id, yes);
    expect((await scene().phone.look(id, alice())).state).to.equal('approved');
    await scene().browser.finish(ME, undefined);
    expect((await scene().phone.look(id, alice())).state).to.equal('redeemed');
  });

  it('not before it scanned, at nothing unknown, and not at what others scanned', async () => {
    const id = await scene().shown();
    expect((await refused(scene().phone.look(id, alice()))).code).to.equal('not_found');
    expect((await refused(scene().phone.look(newTicketId(INTERACTION), alice()))).code).to.equal('not_found');
    await scene().phone.scan(id, alice());
    expect((await refused(scene().phone.look(id, bob()))).code).to.equal('not_found');
  });

  it('too late: it is over', async () => {
    const id = await scene().scanned();
    scene().now += LIFETIMES.decide;
    expect((await refused(scene().phone.look(id, alice()))).code).to.equal('over');
    expect((await refused(scene().phone.look(id, bob()))).code).to.equal('not_found');
  });

  it('after the browser gave up: it is over', async () => {
    const id = await scene().scanned();
    await scene().browser.cancel(ME);
    expect((await refused(scene().phone.look(id, alice()))).code).to.equal('over');
  });
});

describe('the phone decides', () => {
  const scene = setUpScene();

  it('approve: the ticket is approved, by the session as it is now', async () => {
    const id = await scene().scanned();
    const fresh = alice({ authenticatedAt: NOW / 1000 });
    const ticket = await scene().phone.approve(id, { approver: fresh, checkCode: false });
    expect(ticket).to.deep.include({ id, state: 'approved', version: 3, approver: fresh });
    expect(scene().phone.checkCode(ticket)).to.equal(undefined);
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('approve with a check code: the phone has six digits to show, which are in no store', async () => {
    const ticket = await scene().approved(true);
    const digits = scene().phone.checkCode(ticket);
    expect(digits).to.equal(checkCodeOf(scene().keys, ticket.id));
    expect(JSON.stringify(await scene().store.find(ticket.id))).not.to.include(`"${digits}"`);
  });

  it('deny: the ticket is denied', async () => {
    const ticket = await scene().phone.deny(await scene().scanned(), alice());
    expect(ticket).to.deep.include({ state: 'denied', version: 3, approver: alice() });
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('once: neither act follows the other', async () => {
    const { id } = await scene().approved();
    expect((await refused(scene().phone.approve(id, yes))).code).to.equal('wrong_state');
    expect((await refused(scene().phone.deny(id, alice()))).code).to.equal('wrong_state');
    expect(scene().heard).to.have.length(3);
  });

  it('in time: then it is over', async () => {
    const id = await scene().scanned();
    scene().now += LIFETIMES.decide;
    expect((await refused(scene().phone.approve(id, yes))).code).to.equal('over');
    expect((await refused(scene().phone.deny(id, alice()))).code).to.equal('over');
  });

  it('only what it scanned itself', async () => {
    const id = await scene().scanned();
    for (const [ticket, approver] of [
      [id, bob()],
      [id, alice({ sessionUid: 'another session of alice' })],
      [newTicketId(INTERACTION), alice()],
    ] as const) {
      expect((await refused(scene().phone.approve(ticket, { approver, checkCode: false }))).code).to.equal('not_found');
      expect((await refused(scene().phone.deny(ticket, approver))).code).to.equal('not_found');
    }
    expect((await scene().phone.look(id, alice())).state).to.equal('scanned');
  });

  it('only after signing in again where the request demands it', async () => {
    const request = signInRequest({ requirements: { authenticatedSince: NOW / 1000 } });
    const { ticket } = await scene().browser.show(showing({ request }));
    await scene().phone.scan(ticket.id, alice());
    expect((await refused(scene().phone.approve(ticket.id, yes))).code).to.equal('sign_in_again');
    const again = alice({ authenticatedAt: NOW / 1000 + 5 });
    const approved = await scene().phone.approve(ticket.id, { approver: again, checkCode: false });
    expect(approved.approver.authenticatedAt).to.equal(NOW / 1000 + 5);
  });
});
