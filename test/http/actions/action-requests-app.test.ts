import { expect } from 'chai';
import type { DecisionRecord } from '../../../src/index.ts';
import { AppPerson } from '../../support/app.ts';
import { World } from '../../support/world.ts';
import { ALICE, PAYMENT, requestAndShow } from './actions.ts';

describe('an action in an app:', () => {
  let world: World;
  let records: DecisionRecord[];

  before(async () => {
    records = [];
    world = await World.start({ qrLogin: { onDecision: (_ctx, record) => void records.push(record) } });
  });

  after(() => world?.stop());

  it('has its texts in the ticket, and is approved by the app', async () => {
    const { approval, browser } = await requestAndShow({ world });
    const app = await new AppPerson(world).signIn();
    const scanned = await app.scan(await browser.code(), { actions: true });
    expect(scanned.json()).to.deep.include({ state: 'scanned', action: PAYMENT, scopes: [] });
    expect((await app.approve()).json().state).to.equal('approved');
    await browser.finish();
    expect(await approval.result).to.deep.include({ outcome: 'approved', accountId: ALICE });
  });

  it('has a code that is unknown to the app of another account', async () => {
    const { browser } = await requestAndShow({ world });
    const bob = await new AppPerson(world).signIn('bob');
    const answer = await bob.scan(await browser.code());
    expect([answer.status, answer.json().error]).to.deep.equal([404, 'not_found']);
    expect(answer.text).to.not.include('Pay');
  });

  it('cannot be scanned by an app that does not show actions', async () => {
    const { approval, browser } = await requestAndShow({ world });
    const app = await new AppPerson(world).signIn();
    const answer = await app.scan(await browser.code());
    expect([answer.status, answer.json().error]).to.deep.equal([400, 'invalid_request']);
    expect(answer.text).to.not.include('Pay');
    expect((await browser.ticket()).state).to.equal('waiting');
    await approval.cancel();
  });

  it('can be approved only by a signature over the texts that the user was shown', async () => {
    const { approval, browser } = await requestAndShow({ world });
    const app = await new AppPerson(world).signIn();
    await app.scan(await browser.code(), { actions: true });
    for (const action of [undefined, { ...PAYMENT, title: 'Pay €1.50' }]) {
      const answer = await app.approve({ signature: await app.sign('approve', { action }) });
      expect(answer.status).to.equal(400);
      expect(answer.json().error_description).to.include('"action" must be');
    }
    expect((await app.approve({ signature: await app.sign('approve', { action: PAYMENT }) })).status).to.equal(200);
    expect(records.map(({ action }) => action)).to.deep.equal([PAYMENT]);
    await browser.finish();
    expect((await approval.result).outcome).to.equal('approved');
  });
});
