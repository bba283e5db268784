import { expect } from 'chai';
import { EmbeddedJWK, jwtVerify } from 'jose';
import { type DecisionRecord, ProofRefused, type QrLoginOptions } from '../../src/index.ts';
import { shortCodeOn } from '../support/typing.ts';
import { World } from '../support/world.ts';
import { meetApp, phoneOf } from './app-phone.ts';
import { errorOf } from './errors.ts';

/** Runs the act with a provider that has these options. Most of them demand more of the user than a tap. */
function withOptions(qrLogin: Partial<QrLoginOptions>, act: (world: World) => Promise<void>): Promise<void> {
  return World.during({ qrLogin }, act);
}

const PIN_GUARD: QrLoginOptions['guard'] = {
  challenge: () => ({ question: 'What is your PIN?' }),
  verify: (_wanted, answer) => {
    if (answer !== '1234') throw new ProofRefused('The PIN is wrong.');
    return { amr: ['pin'] };
  },
};

describe('an app that uses the library, if the provider demands more than a tap on Approve', () => {
  it('gets the check code that the user types into the browser', () =>
    withOptions({ assess: () => 'check code' }, async (world) => {
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

  it('gets the reason check-code after three wrong check codes', () =>
    withOptions({ assess: () => 'check code' }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const ticket = await phone.scan(await browser.code());
      const { checkCode = '' } = await ticket.approve();
      const wrong = checkCode === '000000' ? '000001' : '000000';
      for (let round = 0; round < 3; round++) await browser.finish(wrong);
      const ends: unknown[] = [];
      for await (const { state, reason } of ticket.watch()) ends.push([state, reason]);
      expect(ends.at(-1)).to.deep.equal(['cancelled', 'check-code']);
    }));

  it("gets the question of the deployment's guard, and sends the answer with Approve", () =>
    withOptions({ guard: PIN_GUARD }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const ticket = await phone.scan(await browser.code());
      expect(ticket.asked.challenge).to.deep.equal({ question: 'What is your PIN?' });
      expect(await errorOf(ticket.approve())).to.include({ code: 'proof_required', action: 'prove' });
      expect(await errorOf(ticket.approve({ proof: '0000' }))).to.include({ code: 'wrong_proof', action: 'prove' });
      expect((await ticket.approve({ proof: '1234' })).state).to.equal('approved');
      expect((await browser.tokens(await browser.arrive())).claims()?.amr).to.include('pin');
    }));

  it('gives consent with Approve, so that the browser shows no consent page', () =>
    withOptions({ consent: () => 'phone' }, async (world) => {
      const { browser, phone } = await meetApp(world, { parameters: { scope: 'openid email' } });
      const ticket = await phone.scan(await browser.code());
      expect(ticket.asked.consent).to.equal(true);
      expect(ticket.asked.scopes.map(({ name }) => name)).to.deep.equal(['openid', 'email']);
      await ticket.approve();
      const { redirectTo } = (await browser.finish()).json();
      const arrived = await browser.goOn(`${redirectTo}`);
      expect((await browser.tokens(new URL(arrived.location))).scope).to.equal('openid email');
    }));

  it('scans by a short code, and gets a check code', () =>
    withOptions({ shortCode: true }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const shortCode = await shortCodeOn(browser);
      const ticket = await phone.scanShortCode(shortCode.toLowerCase().replace('-', ' '));
      const { checkCode } = await ticket.approve();
      expect((await browser.finish(checkCode)).status).to.equal(200);
      expect(await errorOf(phone.scanShortCode('FFFF-FFFF'))).to.include({ code: 'not_found', action: 'scan' });
    }));

  it('signs each decision, and onDecision gets the signed record', async () => {
    const kept: DecisionRecord[] = [];
    const onDecision = (_ctx: unknown, record: DecisionRecord): void => void kept.push(record);
    await withOptions({ signedDecisions: true, onDecision }, async (world) => {
      const { browser, app, phone } = await meetApp(world);
      const unsigned = await phone.scan(await browser.code());
      expect(await errorOf(unsigned.approve())).to.include({ code: 'invalid_request', action: 'stop' });
      const ticket = await (await phoneOf(app, { signDecisions: true })).ticket(unsigned.id);
      await ticket.approve({ remember: true });
      await browser.arrive();
      await ticket.report();
      expect(kept.map(({ decision, remember }) => [decision, remember])).to.deep.equal([
        ['approve', true],
        ['report', false],
      ]);
      const [{ signature = '', keyId } = {}] = kept;
      const { payload } = await jwtVerify(signature, EmbeddedJWK, { audience: world.issuer });
      expect(payload).to.include({ ticket: ticket.id, decision: 'approve', client: 'test-rp' });
      expect(keyId).to.equal(await app.keyId());
    });
  });

  it('can be opened from the QR page on the same phone, and returns to that page with the check code', () =>
    withOptions({ assess: () => 'check code', apps: { scheme: 'com.example.app' } }, async (world) => {
      const { browser, phone } = await meetApp(world);
      const { location } = await browser.agent.get(`${browser.at}/qr/app`);
      const ticket = await phone.scan(location);
      expect(ticket.returnTo).to.equal(browser.at);
      const { checkCode } = await ticket.approve();
      expect(ticket.returnTo).to.equal(`${browser.at}#${checkCode}`);
      expect((await browser.finish(checkCode)).status).to.equal(200);
    }));

  it('keeps the browser signed in after that browser is closed only if the app approves with remember', () =>
    withOptions({}, async (world) => {
      for (const remember of [true, false]) {
        const { browser, phone } = await meetApp(world);
        await (await phone.scan(await browser.code())).approve({ remember });
        await browser.arrive();
        const cookies = await browser.agent.jar.getCookies(world.issuer);
        const session = cookies.find(({ key }) => key === '_session');
        expect(session?.isPersistent()).to.equal(remember);
      }
    }));

  it('gets the time to wait when it is over a rate limit', () =>
    withOptions({ limits: { address: { decide: 3 } } }, async (world) => {
      const { phone } = await meetApp(world);
      let error = await errorOf(phone.ticket('unknown'));
      for (let round = 0; round < 10 && error.code === 'not_found'; round++)
        error = await errorOf(phone.ticket('unknown'));
      expect(error).to.include({ code: 'too_many_requests', action: 'retry', status: 429 });
      expect(error.retryAfter).to.be.at.least(1);
    }));
});
