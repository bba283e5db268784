import { expect } from 'chai';
import { allow, askToSignIn, codeAfter, codeOn, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import { ticketIn } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

const EVENTS = '**/qr/events?svg=no';

describe('a real browser whose event stream is parked (has given up its Node.js socket)', () => {
  const stage = useStage({ parkStreams: true });
  const warnings: unknown[] = [];
  const note = ({ code }: Error & { code?: string }): unknown => warnings.push(code);

  before(() => process.on('warning', note));
  after(() => {
    process.off('warning', note);
    expect(warnings).not.to.include('QR_LOGIN_NOT_PARKED');
  });

  it('shows each new code, the scan and the approval, and signs in', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    stage().clock.forward(10);
    expect(ticketIn(await codeAfter(screen, code))).to.equal(ticketIn(code));
    const phone = await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    await phone.approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('renews its code when it expires', async () => {
    const screen = await stage().open(await stage().desktop());
    const listening = screen.waitForResponse(EVENTS);
    await screen.goto(`${stage().rpUrl}/login`);
    // Only the test moves the clock, so a stream that begins after the move below would wait for a further move.
    await listening;
    const code = await codeOn(screen);
    const renewed = screen.waitForResponse(/\/qr\/renew\?/);
    stage().clock.forward(121);
    expect((await renewed).status()).to.equal(200);
    await seeScreen(screen, 'waiting');
    expect(ticketIn(await codeAfter(screen, code))).not.to.equal(ticketIn(code));
  });

  it('reconnects after a restart of the provider, and continues with the same ticket', async () => {
    const screen = await stage().open(await stage().desktop());
    const listening = screen.waitForResponse(EVENTS);
    await screen.goto(`${stage().rpUrl}/login`);
    await listening;
    const code = await codeOn(screen);
    const back = screen.waitForResponse(EVENTS);
    await stage().restart();
    expect((await back).status()).to.equal(200);
    stage().clock.forward(10);
    expect(ticketIn(await codeAfter(screen, code))).to.equal(ticketIn(code));
    await (await scanBeside(stage(), screen)).approve();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});
