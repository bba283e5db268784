import { expect } from 'chai';
import { announceState } from '../../../src/http/events/ticket-events.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { traceOf } from '../../../src/ticket/ticket-id.ts';
import { demandCheckCode, refuseCheckCode } from '../../../src/ticket/transitions.ts';
import { codeIn, idIn } from '../../support/codes.ts';
import { BrowserPerson, World } from '../../support/world.ts';
import { approved, at, NOW } from '../../ticket/builders.ts';

const NAMES = ['shown', 'scanned', 'approved', 'denied', 'reported', 'cancelled', 'finished', 'failed'] as const;

describe('the events', () => {
  let world: World;
  let emitted: Record<(typeof NAMES)[number], unknown[]>;

  beforeEach(async () => {
    world = await World.start();
    emitted = Object.fromEntries(
      NAMES.map((name) => [name, world.collectPayloads(`qr_login.${name}`)]),
    ) as typeof emitted;
  });

  afterEach(() => world?.stop());

  it('contain the account, the client and the addresses of each step', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const ticket = traceOf(phone.at.split('/').at(-1) ?? '');
    await phone.approve();
    await browser.finish();
    const step = { ticket, clientId: 'test-rp', from: '127.0.0.1', browserFrom: '127.0.0.1' };
    const decided = { ...step, accountId: 'a11ce' };
    expect(emitted).to.deep.equal({
      shown: [step],
      scanned: [decided],
      approved: [decided],
      denied: [],
      reported: [],
      cancelled: [],
      finished: [decided],
      failed: [],
    });
  });

  it('are emitted for a denial on the phone and a cancellation in the browser', async () => {
    const one = await world.meet('bob');
    await one.phone.scan(await one.browser.code());
    await one.phone.deny();
    const two = await world.meet('bob');
    await two.browser.agent.post(`${two.browser.at}/cancel`, { json: {} });
    expect(emitted.denied).to.have.length(1);
    expect(emitted.denied[0]).to.include({ accountId: 'b0b', clientId: 'test-rp', because: 'person' });
    expect(emitted.cancelled).to.have.length(1);
    expect(emitted.cancelled[0])
      .to.include({ because: 'browser', clientId: 'test-rp' })
      .and.not.have.property('accountId');
  });

  it('are emitted for a report, and for the ticket that is denied because of that report', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    expect((await phone.decide('report')).json()).to.include({ state: 'denied', because: 'report' });
    const again = new BrowserPerson(world);
    await again.start();
    await phone.scan(await again.code());
    expect(emitted.reported).to.have.length(1);
    expect(emitted.reported[0]).to.include({ accountId: 'a11ce', because: 'report' });
    expect(emitted.denied).to.have.length(1);
    expect(emitted.denied[0]).to.include({ accountId: 'a11ce', because: 'blocked', browserFrom: '127.0.0.1' });
  });

  it('are emitted for a new ticket, and for the old one that it cancels', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    expect(emitted.shown).to.have.length(2);
    expect(emitted.shown[0]).not.to.deep.equal(emitted.shown[1]);
    expect(emitted.cancelled).to.deep.equal([{ ...(emitted.shown[0] as object), because: 'renewed' }]);
  });

  it('are emitted for each failure with its code', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await browser.finish();
    await phone.agent.post(code, { json: { csrf: 'made up' } });
    await phone.agent.get(`${world.issuer}/qr/nothing`);
    await browser.agent.post(`${browser.at}/cancel`, { json: {}, headers: { origin: 'https://evil.example' } });
    const codes = emitted.failed.map((error) => (error as { code: string }).code);
    expect(codes).to.deep.equal(['wrong_state', 'invalid_csrf', 'not_found', 'foreign_origin']);
  });

  it('contain no secret: no code, no id, no uid, no cookie, no check code', async () => {
    await world.stop();
    world = await World.start({ qrLogin: { assess: () => 'check code' } });
    const all = NAMES.map((name) => world.collectPayloads(`qr_login.${name}`));
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const stranger = await world.meet('bob');
    await stranger.phone.signOut();
    await stranger.phone.land(code);
    await phone.scan(code);
    await stranger.phone.land(code);
    const checkCode = String((await phone.approve()).json().checkCode);
    await browser.finish('000000');
    await browser.finish(checkCode);

    const events = all.flat();
    expect(events.length).to.be.greaterThan(6);
    const text = events.map((event) => (event instanceof Error ? `${event.stack}` : JSON.stringify(event))).join('\n');
    const cookies = [...(await browser.agent.jar.getCookies(browser.at)), ...(await phone.agent.jar.getCookies(code))];
    const secrets = [
      codeIn(code),
      idIn(code),
      browser.uid,
      checkCode,
      phone.csrf,
      ...cookies.map(({ value }) => value),
    ];
    for (const secret of secrets) expect(text.includes(secret), `${secret} in ${text}`).to.equal(false);
  });
});

describe('a ticket that was written after its request had failed', () => {
  const names = (ticket: Ticket): string[] => {
    const announced: string[] = [];
    announceState((_ctx, name) => announced.push(name), ticket);
    return announced;
  };

  it('is announced as approved once, even if the check code is demanded at finish', () => {
    expect(names(approved())).to.deep.equal(['qr_login.approved']);
    expect(names(approved({ checkCode: { wrongTries: 0 } }))).to.deep.equal(['qr_login.approved']);
    expect(names(demandCheckCode(approved(), at(NOW + 1)))).to.deep.equal([]);
    expect(names(refuseCheckCode(demandCheckCode(approved(), at(NOW + 1)), at(NOW + 2)))).to.deep.equal([]);
  });
});
