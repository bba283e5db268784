import { expect } from 'chai';
import { WrongCheckCode } from '../../src/ticket/check-code.ts';
import { alice, approved, LIFETIMES, refused } from './builders.ts';
import { FOREIGN, ME, type Scene, setUpScene, UNKNOWN } from './scene.ts';

describe('the browser finishes', () => {
  const scene = setUpScene();

  it('what was approved: it is redeemed, for the approver', async () => {
    const { id } = await scene().approved();
    const { ticket, changed } = await scene().browser.finish(ME, undefined);
    expect(ticket).to.deep.include({ id, state: 'redeemed', version: 4, approver: alice() });
    expect(changed).to.equal(true);
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('again, because an answer got lost: the same answer, and nothing changes', async () => {
    await scene().approved();
    const first = await scene().browser.finish(ME, undefined);
    scene().now += 60_000;
    expect(await scene().browser.finish(ME, undefined)).to.deep.equal({ ticket: first.ticket, changed: false });
    expect(scene().heard).to.have.length(4);
  });

  it('what was denied: it hears that it was', async () => {
    await scene().phone.deny(await scene().scanned(), alice());
    const { ticket, changed } = await scene().browser.finish(ME, undefined);
    expect(ticket.state).to.equal('denied');
    expect(changed).to.equal(false);
  });

  it('not before the approval', async () => {
    await scene().shown();
    expect((await refused(scene().browser.finish(ME, undefined))).code).to.equal('wrong_state');
    await scene().phone.scan((await scene().browser.look(ME))?.id ?? '', alice());
    expect((await refused(scene().browser.finish(ME, { checkCode: '123456' }))).code).to.equal('wrong_state');
  });

  it('not too late', async () => {
    await scene().approved();
    scene().now += LIFETIMES.finish;
    expect((await refused(scene().browser.finish(ME, undefined))).code).to.equal('over');
  });

  it('not what it cancelled itself', async () => {
    await scene().approved();
    await scene().browser.cancel(ME);
    expect((await refused(scene().browser.finish(ME, undefined))).code).to.equal('over');
  });

  it('nothing where nothing is left', async () => {
    expect((await refused(scene().browser.finish(UNKNOWN, undefined))).code).to.equal('over');
  });

  it('not what another browser shows, neither before nor after that one did', async () => {
    await scene().approved();
    expect((await refused(scene().browser.finish(FOREIGN, undefined))).code).to.equal('not_found');
    await scene().browser.finish(ME, undefined);
    expect((await refused(scene().browser.finish(FOREIGN, undefined))).code).to.equal('not_found');
  });
});

describe('the browser finishes with a check code', () => {
  const scene = setUpScene();

  async function digits(of: Scene): Promise<string> {
    return of.phone.checkCode(await of.approved('check code'), alice()) ?? '';
  }

  function wrong(right: string): string {
    return `${(Number(right) + 1) % 1_000_000}`.padStart(6, '0');
  }

  it('the right one, however it is spaced: redeemed', async () => {
    const right = await digits(scene());
    const { ticket } = await scene().browser.finish(ME, { checkCode: ` ${right.slice(0, 3)} ${right.slice(3)} ` });
    expect(ticket.state).to.equal('redeemed');
  });

  it('none, or what is none: asked for it, and no try is lost', async () => {
    await digits(scene());
    for (const typed of [undefined, '', '12345', 'abcdef']) {
      expect((await refused(scene().browser.finish(ME, { checkCode: typed }))).code, typed).to.equal(
        'check_code_required',
      );
    }
    expect(await scene().browser.look(ME)).to.deep.include({ version: 3, checkCode: { wrongTries: 0 } });
  });

  it('a wrong one twice, then the right one: redeemed', async () => {
    const right = await digits(scene());
    for (const left of [2, 1]) {
      const refusal = await refused(scene().browser.finish(ME, { checkCode: wrong(right) }));
      expect(refusal.code).to.equal('wrong_check_code');
      expect(refusal.message).to.include(`Tries left: ${left}.`);
    }
    expect((await scene().browser.finish(ME, { checkCode: right })).ticket.state).to.equal('redeemed');
  });

  it('a wrong one three times: cancelled, and the right one comes too late', async () => {
    const right = await digits(scene());
    await refused(scene().browser.finish(ME, { checkCode: wrong(right) }));
    await refused(scene().browser.finish(ME, { checkCode: wrong(right) }));
    const third = await refused(scene().browser.finish(ME, { checkCode: wrong(right) }));
    expect(third).to.be.instanceOf(WrongCheckCode);
    expect(third).to.have.property('ended').that.includes({ state: 'cancelled', because: 'check code' });
    expect(JSON.stringify(third), 'what a log would write').to.not.include('approver');
    expect(third.message).to.include('No tries are left');
    expect((await refused(scene().browser.finish(ME, { checkCode: right }))).code).to.equal('over');
    expect(scene().heard.at(-1)).to.deep.include({ state: 'cancelled', because: 'check code' });
  });

  it('wrong ones do not buy time', async () => {
    const right = await digits(scene());
    scene().now += LIFETIMES.finish - 1;
    expect((await refused(scene().browser.finish(ME, { checkCode: wrong(right) }))).code).to.equal('wrong_check_code');
    scene().now += 1;
    expect((await refused(scene().browser.finish(ME, { checkCode: right }))).code).to.equal('over');
    expect((await refused(scene().browser.finish(ME, undefined))).code).to.equal('over');
  });

  it('typed in another browser: not found, and no try is lost', async () => {
    const right = await digits(scene());
    expect((await refused(scene().browser.finish(FOREIGN, { checkCode: wrong(right) }))).code).to.equal('not_found');
    expect(await scene().browser.look(ME)).to.deep.include({ checkCode: { wrongTries: 0 } });
  });

  it('after it is redeemed, a lost answer is given again without one', async () => {
    await scene().browser.finish(ME, { checkCode: await digits(scene()) });
    expect((await scene().browser.finish(ME, undefined)).ticket.state).to.equal('redeemed');
    expect((await scene().browser.finish(ME, { checkCode: '000000' })).changed).to.equal(false);
  });

  it('twenty wrong ones at once: three are counted, the rest come too late', async () => {
    const right = await digits(scene());
    const codes = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await refused(scene().browser.finish(ME, { checkCode: wrong(right) }))).code,
      ),
    );
    expect(codes.filter((code) => code === 'wrong_check_code')).to.have.length(3);
    expect(codes.filter((code) => code === 'over')).to.have.length(17);
    expect((await scene().browser.look(ME))?.state).to.equal('cancelled');
  });

  it('where none was asked for, all three tries are left', () => {
    expect(new WrongCheckCode(approved()).message).to.include('Tries left: 3.');
  });
});
