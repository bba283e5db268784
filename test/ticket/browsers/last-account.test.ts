import { expect } from 'chai';
import { hadOtherAccount, markAccount } from '../../../src/ticket/browsers/last-account.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { alice, awaitRefusal, bob, browserOf, SECRETS } from '../builders.ts';
import { ME, setUpScene, showInput } from '../scene.ts';

const keys = new SecretKeys(SECRETS);

describe('the account that was last signed in to a browser by QR', () => {
  const scene = setUpScene();

  it('is recognised by its mark in the cookie, which is valid for one browser', () => {
    const lastAccount = markAccount(keys, 'one', 'alice');
    expect(hadOtherAccount(keys, { knownAs: 'one', lastAccount }, 'alice')).to.equal(false);
    expect(hadOtherAccount(keys, { knownAs: 'one', lastAccount }, 'bob')).to.equal(true);
    expect(hadOtherAccount(keys, { knownAs: 'other', lastAccount }, 'alice')).to.equal(true);
    expect(hadOtherAccount(keys, {}, 'alice')).to.equal(false);
  });

  it('is recognised after the keys were changed', () => {
    const lastAccount = markAccount(keys, 'one', 'alice');
    const newer = new SecretKeys(['another secret of at least thirty-two characters', ...SECRETS]);
    expect(hadOtherAccount(newer, { knownAs: 'one', lastAccount }, 'alice')).to.equal(false);
  });

  for (const [verdict, typed] of [
    ['allow', false],
    ['check code', true],
  ] as const) {
    it(`is not replaced without the user's agreement (${verdict})`, async () => {
      const lastAccount = markAccount(scene().keys, 'one', 'alice');
      const browser = { ...browserOf(ME.binding), knownAs: 'one', lastAccount };
      const { ticket } = await scene().browser.show(showInput({ browser }));
      await scene().phone.scan(ticket.id, bob());
      await scene().phone.approve(ticket.id, { approver: bob(), judge: () => verdict });
      const checkCode = scene().phone.checkCode(await scene().phone.look(ticket.id, bob()), bob());
      expect(checkCode !== undefined).to.equal(typed);
      expect((await awaitRefusal(scene().browser.finish(ME, { checkCode }))).code).to.equal('account_switch');
      const wrong = checkCode === '000000' ? '000001' : '000000';
      if (typed) await awaitRefusal(scene().browser.finish(ME, { checkCode: wrong, switchAccount: true }));
      expect((await awaitRefusal(scene().browser.finish(ME, { checkCode }))).code).to.equal('account_switch');
      const finished = await scene().browser.finish(ME, { checkCode, switchAccount: true });
      expect(finished.ticket.state).to.equal('redeemed');
    });
  }

  it('is signed in again without a question', async () => {
    const lastAccount = markAccount(scene().keys, 'one', 'alice');
    const browser = { ...browserOf(ME.binding), knownAs: 'one', lastAccount };
    const { ticket } = await scene().browser.show(showInput({ browser }));
    await scene().phone.scan(ticket.id, alice());
    await scene().phone.approve(ticket.id, { approver: alice() });
    expect((await scene().browser.finish(ME)).ticket.state).to.equal('redeemed');
  });
});
