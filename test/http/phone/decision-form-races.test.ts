import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const MANY = 20;

describe('racing requests', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  it('approve once, and give many approvals the same answer', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const approved = world.count('qr_login.approved');

    const statuses = (await times(() => phone.approve())).map(({ status }) => status);

    expect(tally(statuses)).to.deep.equal({ 200: MANY });
    expect(approved()).to.equal(1);
  });

  it('let the first of many different decisions win, and give equal decisions the same answer', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());

    const answers = await times((index) => phone.decide(index % 2 === 0 ? 'deny' : 'approve'));

    const { state } = await browser.ticket();
    for (const [index, answer] of answers.entries()) {
      const stands = state === (index % 2 === 0 ? 'denied' : 'approved');
      expect([answer.status, answer.json().state]).to.deep.equal([stands ? 200 : 409, state]);
    }
  });

  it('give many finishes the same redirect, and finish once', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    const finished = world.count('qr_login.finished');

    const answers = await times(() => browser.finish());

    expect(tally(answers.map(({ status }) => status))).to.deep.equal({ 200: MANY });
    expect(new Set(answers.map(({ text }) => text)).size).to.equal(1);
    expect(finished()).to.equal(1);
    const arrived = await browser.arriveFrom(String(answers[0]?.json().redirectTo));
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });

  it('let exactly one of many phones scan, and answer other accounts as for an unknown code', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const code = await browser.code();
    const phones = await times((index) => new PhonePerson(world).signIn(index % 2 === 0 ? 'alice' : 'bob'));
    const scanned = world.count('qr_login.scanned');

    const answers = await Promise.all(phones.map((phone) => phone.scan(code)));

    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect(scanned()).to.equal(1);
    const unknown = await new PhonePerson(world).land(`${world.issuer}/qr/${UNKNOWN_CODE}`);
    const winner = answers.findIndex(({ status }) => status === 200);
    for (const [index, loser] of answers.entries()) {
      if (index === winner) continue;
      // The phones take turns: one of alice, one of bob.
      if (index % 2 === winner % 2) expect(loser.json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
      else expect(essence(loser)).to.deep.equal(essence(unknown));
    }
  });

  it('leave exactly one valid ticket after many renewals', async () => {
    const { browser } = await world.meet();
    const answers = await times(() => browser.agent.post(`${browser.at}/qr/renew`, { json: {} }));
    expect(tally(answers.map(({ status }) => status))).to.deep.equal({ 200: MANY });
    // A renewal may end the ticket of another renewal, too. One valid ticket must remain.
    const phone = await new PhonePerson(world).signIn();
    expect((await phone.scan(await browser.code())).status).to.equal(200);
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('leave no approval in force if one of them is a renewal', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await Promise.all([phone.approve(), browser.agent.post(`${browser.at}/qr/renew`, { json: {} })]);
    expect((await browser.ticket()).state).to.equal('waiting');
    expect((await browser.finish()).status).to.equal(409);
  });
});

function times<T>(act: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: MANY }, (_, index) => act(index)));
}

function tally(statuses: number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Returns the parts of an answer that do not depend on the time. */
function essence({ status, text, headers }: Answer): unknown {
  return { status, text, headers: [...headers].filter(([name]) => name !== 'date') };
}
