import { expect } from 'chai';
import { WrongCheckCode } from '../../src/ticket/codes/check-code.ts';
import { alice, approved, awaitRefusal, LIFETIMES } from './builders.ts';
import { FOREIGN, ME, type Scene, setUpScene, UNKNOWN } from './scene.ts';

describe('finish', () => {
  const scene = setUpScene();

  it('redeems an approved ticket for the approver', async () => {
    const { id } = await scene().approveSignIn();
    const { ticket, changed } = await scene().browser.finish(ME, undefined);
    expect(ticket).to.deep.include({ id, state: 'redeemed', version: 4, approver: alice() });
    expect(changed).to.equal(true);
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('returns the same answer again after a lost response, and changes nothing', async () => {
    await scene().approveSignIn();
    const first = await scene().browser.finish(ME, undefined);
    scene().now += 60_000;
    expect(await scene().browser.finish(ME, undefined)).to.deep.equal({ ticket: first.ticket, changed: false });
    expect(scene().heard).to.have.length(4);
  });

  it('returns a denied ticket as it is', async () => {
    await scene().phone.deny(await scene().scanCode(), alice());
    const { ticket, changed } = await scene().browser.finish(ME, undefined);
    expect(ticket.state).to.equal('denied');
    expect(changed).to.equal(false);
  });

  it('is refused before the approval', async () => {
    await scene().showCode();
    expect((await awaitRefusal(scene().browser.finish(ME, undefined))).code).to.equal('wrong_state');
    await scene().phone.scan((await scene().browser.look(ME))?.id ?? '', alice());
    expect((await awaitRefusal(scene().browser.finish(ME, { checkCode: '123456' }))).code).to.equal('wrong_state');
  });

  it('is refused after the deadline', async () => {
    await scene().approveSignIn();
    scene().now += LIFETIMES.finish;
    expect((await awaitRefusal(scene().browser.finish(ME, undefined))).code).to.equal('over');
  });

  it('is refused for a ticket that the browser has cancelled', async () => {
    await scene().approveSignIn();
    await scene().browser.cancel(ME);
    expect((await awaitRefusal(scene().browser.finish(ME, undefined))).code).to.equal('over');
  });

  it('is refused without a ticket', async () => {
    expect((await awaitRefusal(scene().browser.finish(UNKNOWN, undefined))).code).to.equal('over');
  });

  it('answers not_found for the ticket of another browser, before and after that browser finishes', async () => {
    await scene().approveSignIn();
    expect((await awaitRefusal(scene().browser.finish(FOREIGN, undefined))).code).to.equal('not_found');
    await scene().browser.finish(ME, undefined);
    expect((await awaitRefusal(scene().browser.finish(FOREIGN, undefined))).code).to.equal('not_found');
  });
});

describe('a browser that needed no check code at Approve', () => {
  const scene = setUpScene();
  /**
   * Says that the evidence is gone: the reason for sparing the check code (a trusted browser, or the same network
   * address) no longer holds at finish.
   */
  const gone = { evidence: async () => false };

  it('must type the check code if the reason for sparing it is gone, and the phone then shows the code', async () => {
    const approval = await scene().approveSignIn();
    expect(scene().phone.checkCode(approval, alice())).to.equal(undefined);
    expect((await awaitRefusal(scene().browser.finish(ME, {}, gone))).code).to.equal('check_code_required');
    const ticket = await scene().phone.look(approval.id, alice());
    expect(ticket).to.include({ state: 'approved', deadline: approval.deadline, version: approval.version + 1 });
    const checkCode = scene().phone.checkCode(ticket, alice()) ?? '';
    expect(checkCode).to.match(/^\d{6}$/);
    expect((await scene().browser.finish(ME, { checkCode }, gone)).ticket.state).to.equal('redeemed');
  });

  it('must type the check code from then on, even if the reason for sparing it is back, and has three tries', async () => {
    const { id } = await scene().approveSignIn();
    await awaitRefusal(scene().browser.finish(ME, {}, gone));
    const there = { evidence: async () => true };
    expect((await awaitRefusal(scene().browser.finish(ME, {}, there))).code).to.equal('check_code_required');
    const right = scene().phone.checkCode(await scene().phone.look(id, alice()), alice());
    const checkCode = right === '000000' ? '000001' : '000000';
    for (let tries = 0; tries < 3; tries++) await awaitRefusal(scene().browser.finish(ME, { checkCode }, there));
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it('needs no check code if the reason for sparing it still holds', async () => {
    await scene().approveSignIn();
    const { ticket } = await scene().browser.finish(ME, {}, { evidence: async () => true });
    expect(ticket.state).to.equal('redeemed');
  });
});

describe('a browser that must type the check code', () => {
  const scene = setUpScene();

  async function digits(on: Scene): Promise<string> {
    return on.phone.checkCode(await on.approveSignIn('check code'), alice()) ?? '';
  }

  function wrong(right: string): string {
    return `${(Number(right) + 1) % 1_000_000}`.padStart(6, '0');
  }

  it('redeems the ticket with the right code, with or without spaces', async () => {
    const right = await digits(scene());
    const { ticket } = await scene().browser.finish(ME, { checkCode: ` ${right.slice(0, 3)} ${right.slice(3)} ` });
    expect(ticket.state).to.equal('redeemed');
  });

  it('is asked for the code if it sends no well-formed code, and loses no try', async () => {
    await digits(scene());
    for (const typed of [undefined, '', '12345', 'abcdef']) {
      expect((await awaitRefusal(scene().browser.finish(ME, { checkCode: typed }))).code, typed).to.equal(
        'check_code_required',
      );
    }
    expect(await scene().browser.look(ME)).to.deep.include({ version: 3, checkCode: { wrongTries: 0 } });
  });

  it('redeems the ticket with the right code after two wrong ones', async () => {
    const right = await digits(scene());
    for (const left of [2, 1]) {
      const refusal = await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong(right) }));
      expect(refusal.code).to.equal('wrong_check_code');
      expect(refusal.message).to.include(`Tries left: ${left}.`);
    }
    expect((await scene().browser.finish(ME, { checkCode: right })).ticket.state).to.equal('redeemed');
  });

  it('cancels the ticket with the third wrong code, after which even the right code is refused', async () => {
    const right = await digits(scene());
    await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong(right) }));
    await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong(right) }));
    const third = await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong(right) }));
    expect(third).to.be.instanceOf(WrongCheckCode);
    expect(third).to.have.property('cancelledTicket').that.includes({ state: 'cancelled', because: 'check code' });
    expect(JSON.stringify(third), 'what a log would write').to.not.include('approver');
    expect(third.message).to.include('No tries are left');
    expect((await awaitRefusal(scene().browser.finish(ME, { checkCode: right }))).code).to.equal('over');
    expect(scene().heard.at(-1)).to.deep.include({ state: 'cancelled', because: 'check code' });
  });

  it('gets no extra time by typing wrong codes', async () => {
    const right = await digits(scene());
    scene().now += LIFETIMES.finish - 1;
    expect((await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong(right) }))).code).to.equal(
      'wrong_check_code',
    );
    scene().now += 1;
    expect((await awaitRefusal(scene().browser.finish(ME, { checkCode: right }))).code).to.equal('over');
    expect((await awaitRefusal(scene().browser.finish(ME, undefined))).code).to.equal('over');
  });

  it('loses no try if another browser types a code, which gets not_found', async () => {
    const right = await digits(scene());
    expect((await awaitRefusal(scene().browser.finish(FOREIGN, { checkCode: wrong(right) }))).code).to.equal(
      'not_found',
    );
    expect(await scene().browser.look(ME)).to.deep.include({ checkCode: { wrongTries: 0 } });
  });

  it('gets the same answer again without a code after the ticket is redeemed', async () => {
    await scene().browser.finish(ME, { checkCode: await digits(scene()) });
    expect((await scene().browser.finish(ME, undefined)).ticket.state).to.equal('redeemed');
    expect((await scene().browser.finish(ME, { checkCode: '000000' })).changed).to.equal(false);
  });

  it('gets three of twenty simultaneous wrong codes counted, and the rest refused', async () => {
    const right = await digits(scene());
    const codes = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong(right) }))).code,
      ),
    );
    expect(codes.filter((code) => code === 'wrong_check_code')).to.have.length(3);
    expect(codes.filter((code) => code === 'over')).to.have.length(17);
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it('is told that three tries are left if its ticket has counted no wrong code', () => {
    expect(new WrongCheckCode(approved()).message).to.include('Tries left: 3.');
  });
});
