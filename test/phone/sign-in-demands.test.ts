import { expect } from 'chai';
import { ProofRefused, type QrLoginOptions } from '../../src/index.ts';
import { shortCodeOn } from '../support/typing.ts';
import { World } from '../support/world.ts';
import { meetApp } from './app-phone.ts';
import { errorOf } from './errors.ts';

/** Lets the provider demand something of the user besides a tap. */
function demanding(qrLogin: Partial<QrLoginOptions>, act: (world: World) => Promise<void>): Promise<void> {
  return World.during({ qrLogin }, act);
}

const PIN_GUARD: QrLoginOptions['guard'] = {
  challenge: () => ({ question: 'What is your PIN?' }),
  verify: (_wanted, answer) => {
    if (answer !== '1234') throw new ProofRefused('The PIN is wrong.');
    return { amr: ['pin'] };
  },
};

describe('an app with the library, where more than a tap is needed', () => {
  it('shows the digits that the user types into the browser', () =>
    demanding({ assess: () => 'check code' }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const ticket = await phone.scan(await browser.code());
      expect(ticket.asked.checkCode).to.equal(undefined);
      const { state, checkCode = '' } = await ticket.approve();
      expect(state).to.equal('approved');
      expect(checkCode).to.match(/^\d{6}$/);
      expect((await browser.finish()).status).to.equal(400);
      expect((await browser.finish(checkCode)).status).to.equal(200);
      expect((await ticket.refresh()).state).to.equal('finished');
    }));

  it('is told when the digits were wrong too often', () =>
    demanding({ assess: () => 'check code' }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const ticket = await phone.scan(await browser.code());
      const { checkCode = '' } = await ticket.approve();
      const wrong = checkCode === '000000' ? '000001' : '000000';
      for (let round = 0; round < 3; round++) await browser.finish(wrong);
      const ends: unknown[] = [];
      for await (const { state, reason } of ticket.watch()) ends.push([state, reason]);
      expect(ends.at(-1)).to.deep.equal(['cancelled', 'check-code']);
    }));

  it('answers the question of the guard', () =>
    demanding({ guard: PIN_GUARD }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const ticket = await phone.scan(await browser.code());
      expect(ticket.asked.challenge).to.deep.equal({ question: 'What is your PIN?' });
      expect(await errorOf(ticket.approve())).to.include({ code: 'proof_required', action: 'prove' });
      expect(await errorOf(ticket.approve({ proof: '0000' }))).to.include({ code: 'wrong_proof', action: 'prove' });
      expect((await ticket.approve({ proof: '1234' })).state).to.equal('approved');
      expect((await browser.tokens(await browser.arrive())).claims()?.amr).to.include('pin');
    }));

  it('gives consent on the phone, so that the browser is not asked', () =>
    demanding({ consent: () => 'phone' }, async (world) => {
      const { browser, phone } = await meetApp(world, { parameters: { scope: 'openid email' } });
      const ticket = await phone.scan(await browser.code());
      expect(ticket.asked.consent).to.equal(true);
      expect(ticket.asked.scopes.map(({ name }) => name)).to.deep.equal(['openid', 'email']);
      await ticket.approve();
      const { redirectTo } = (await browser.finish()).json();
      const arrived = await browser.goOn(`${redirectTo}`);
      expect((await browser.tokens(new URL(arrived.location))).scope).to.equal('openid email');
    }));

  it('claims the ticket of a short code, which needs the digits', () =>
    demanding({ shortCode: true }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const shortCode = await shortCodeOn(browser);
      const ticket = await phone.scanShortCode(shortCode.toLowerCase().replace('-', ' '));
      const { checkCode } = await ticket.approve();
      expect((await browser.finish(checkCode)).status).to.equal(200);
      expect(await errorOf(phone.scanShortCode('FFFF-FFFF'))).to.include({ code: 'not_found', action: 'scan' });
    }));

  it('keeps the user signed in in the browser only if told to', () =>
    demanding({}, async (world) => {
      for (const remember of [true, false]) {
        const { browser, phone } = await meetApp(world);
        await (await phone.scan(await browser.code())).approve({ remember });
        await browser.arrive();
        const cookies = await browser.agent.jar.getCookies(world.issuer);
        const session = cookies.find(({ key }) => key === '_session');
        expect(session?.isPersistent()).to.equal(remember);
      }
    }));

  it('is told how long to wait where requests are limited', () =>
    demanding({ limits: { address: { decide: 3 } } }, async (world) => {
      const { phone } = await meetApp(world);
      let error = await errorOf(phone.ticket('unknown'));
      for (let round = 0; round < 10 && error.code === 'not_found'; round++)
        error = await errorOf(phone.ticket('unknown'));
      expect(error).to.include({ code: 'too_many_requests', action: 'retry', status: 429 });
      expect(error.retryAfter).to.be.at.least(1);
    }));
});
