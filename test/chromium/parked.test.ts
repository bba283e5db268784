import { expect } from 'chai';
import { allow, approve, askToSignIn, scan, seeScreen } from './acts.ts';
import { readCode, readCodeOtherThan, ticketIn } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

const EVENTS = '**/qr/events?svg=no';

describe('a real browser whose event stream has given up its socket', () => {
  const stage = useStage({ parkStreams: true });
  const warnings: unknown[] = [];
  const note = ({ code }: Error & { code?: string }): unknown => warnings.push(code);

  before(() => process.on('warning', note));
  after(() => {
    process.off('warning', note);
    expect(warnings).not.to.include('QR_LOGIN_NOT_PARKED');
  });

  it('sees its code replaced, is told of the scan and of the approval, and signs in', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await readCode(screen);
    stage().clock.forward(10);
    expect(ticketIn(await readCodeOtherThan(screen, code))).to.equal(ticketIn(code));
    const phone = await scan(stage(), await stage().phone(), screen);
    await seeScreen(screen, 'scanned');
    await approve(phone);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('renews its code when that expires', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await readCode(screen);
    const renewed = screen.waitForResponse(/\/qr\/renew\?/);
    stage().clock.forward(121);
    expect((await renewed).status()).to.equal(200);
    await seeScreen(screen, 'waiting');
    expect(ticketIn(await readCodeOtherThan(screen, code))).not.to.equal(ticketIn(code));
  });

  it('comes back where its provider is restarted, and goes on with the same ticket', async () => {
    const screen = await stage().open(await stage().desktop(), stage().rpUrl);
    const listening = screen.waitForResponse(EVENTS);
    await screen.getByRole('link', { name: 'Sign in' }).click();
    await listening;
    const code = await readCode(screen);
    const back = screen.waitForResponse(EVENTS);
    await stage().restart();
    expect((await back).status()).to.equal(200);
    stage().clock.forward(10);
    expect(ticketIn(await readCodeOtherThan(screen, code))).to.equal(ticketIn(code));
    await approve(await scan(stage(), await stage().phone(), screen));
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});
