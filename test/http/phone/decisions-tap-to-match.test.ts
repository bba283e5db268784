import { expect } from 'chai';
import { AppPerson } from '../../support/app.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { type BrowserPerson, type PhonePerson, World, type WorldOptions } from '../../support/world.ts';

const TAPPING: WorldOptions = { qrLogin: { checkCodeEntry: 'tap', assess: () => 'check code', limits: false } };

interface ScannedSignIn {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  /** The number that the browser shows. */
  readonly number: string;
  /** The numbers that the phone offers. */
  readonly numbers: readonly string[];
}

async function scanTicket(world: World): Promise<ScannedSignIn> {
  const { browser, phone } = await world.meet();
  await phone.scan(await browser.code());
  const { numbers } = (await phone.look()).json() as { numbers: string[] };
  return { browser, phone, number: String((await browser.ticket()).number), numbers };
}

function otherThan(number: string, numbers: readonly string[]): string {
  return numbers.find((one) => one !== number) ?? '';
}

function testTaps(start: () => Promise<{ world: World; stop: () => Promise<void> }>): void {
  let world: World;
  let stop: (() => Promise<void>) | undefined;

  before(async () => {
    ({ world, stop } = await start());
  });

  after(() => stop?.());

  it('signs the browser in without asking for digits', async () => {
    const { browser, phone, number, numbers } = await scanTicket(world);
    expect(number).to.match(/^[1-9]\d$/);
    expect(numbers).to.have.length(3).and.include(number);
    expect(new Set(numbers).size).to.equal(3);
    const approved = (await phone.approve({ match: number })).json();
    expect(approved).to.include({ state: 'approved' }).and.not.to.have.any.keys('checkCode', 'numbers');
    expect(await browser.ticket())
      .to.include({ state: 'approved', checkCode: false })
      .and.not.to.have.any.keys('number');
    expect((await browser.finish()).status).to.equal(200);
  });

  it('ends the ticket if the number is wrong, and the same tap again gets the same answer', async () => {
    const { browser, phone, number, numbers } = await scanTicket(world);
    const cancelled = world.count('qr_login.cancelled');
    const wrong = otherThan(number, numbers);
    for (let times = 0; times < 2; times++) {
      const answer = await phone.approve({ match: wrong });
      expect(answer.status).to.equal(410);
      expect(answer.json()).to.include({ error: 'over', reason: 'check-code' });
    }
    expect((await phone.approve({ match: number })).status).to.equal(410);
    expect(await browser.ticket()).to.include({ state: 'cancelled', because: 'check code' });
    expect(cancelled()).to.equal(1);
    expect((await browser.finish()).status).to.equal(410);
  });

  it('gets the same answer if it is repeated, and a later tap on another number is refused', async () => {
    const { browser, phone, number, numbers } = await scanTicket(world);
    const approved = world.count('qr_login.approved');
    for (let times = 0; times < 2; times++) {
      expect((await phone.approve({ match: number })).json()).to.include({ state: 'approved' });
    }
    const other = await phone.approve({ match: otherThan(number, numbers) });
    expect(other.status).to.equal(409);
    expect(other.json()).to.include({ error: 'wrong_state', state: 'approved' });
    expect(approved()).to.equal(1);
    expect((await browser.finish()).status).to.equal(200);
  });

  it('takes effect once if many different taps arrive at the same time', async () => {
    const { browser, phone, numbers } = await scanTicket(world);
    const answers = await Promise.all(numbers.map((match) => phone.approve({ match })));
    const { state } = await browser.ticket();
    expect(state).to.be.oneOf(['approved', 'cancelled']);
    expect(answers.filter(({ status }) => status === 200)).to.have.length(state === 'approved' ? 1 : 0);
  });
}

describe('the tap on the number that the browser shows, in memory', () => {
  testTaps(async () => {
    const world = await World.start(TAPPING);
    return { world, stop: () => world.stop() };
  });
});

describe('the tap on the number that the browser shows, on Redis', () => {
  testTaps(async () => {
    const there = await RedisWorld.start(TAPPING);
    return { world: there.world, stop: () => there.stop() };
  });
});

describe('a phone that has to tap a number', () => {
  let world: World;

  before(async () => {
    world = await World.start(TAPPING);
  });

  after(() => world?.stop());

  it('is told what to send if it sends no number, a number that is not offered, or the number of another ticket', async () => {
    const { browser, phone, numbers } = await scanTicket(world);
    const foreign = [(await scanTicket(world)).number, '', '7', '100', '１２'].filter((one) => !numbers.includes(one));
    for (const more of [{}, ...foreign.map((match) => ({ match }))]) {
      const answer = await phone.approve(more);
      expect(answer.status).to.equal(400);
      expect(answer.json().error_description).to.include('"match"');
    }
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('gets the same numbers in the same order each time, and the browser keeps showing the same number', async () => {
    const { browser, phone, number, numbers } = await scanTicket(world);
    expect((await phone.look()).json().numbers).to.deep.equal(numbers);
    expect((await browser.ticket()).number).to.equal(number);
  });

  it('has a page of plain forms with three numbers and "None of these" instead of Approve', async () => {
    const { browser, phone, number, numbers } = await scanTicket(world);
    const page = (await phone.agent.follow(phone.at)).text;
    expect([...page.matchAll(/name="match" value="(\d\d)"/g)].map(([, one]) => one)).to.deep.equal(numbers);
    expect(page).to.include('None of these').and.not.to.include('value="approve"');
    const shown = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
    expect(shown.text).to.match(new RegExp(`Tap this number on your phone: <strong dir="ltr">${number}<`));
    const headers = { accept: 'text/html' };
    const answer = await phone.agent.post(phone.at, { form: { csrf: phone.csrf, match: number }, headers });
    expect(answer.status).to.equal(303);
    expect((await browser.ticket()).state).to.equal('approved');
  });

  it('denies with "None of these", and gets an error page after a wrong tap', async () => {
    const first = await scanTicket(world);
    await first.phone.deny();
    expect((await first.browser.ticket()).state).to.equal('denied');
    const second = await scanTicket(world);
    const form = { csrf: second.phone.csrf, match: otherThan(second.number, second.numbers) };
    const page = await second.phone.agent.post(second.phone.at, { form, headers: { accept: 'text/html' } });
    expect(page.status).to.equal(410);
    expect(page.text).to.include('The number was wrong, so this sign-in has ended.');
  });

  it('may be an app, which gets the numbers and sends the tap', async () => {
    const { browser } = await world.meet();
    const app = await new AppPerson(world).signIn();
    const { numbers } = (await app.scan(await browser.code())).json() as { numbers: string[] };
    const { number } = await browser.ticket();
    expect(numbers).to.include(number);
    expect((await app.approve()).json().error).to.equal('invalid_request');
    const approved = (await app.approve({ match: number })).json();
    expect(approved).to.include({ state: 'approved' }).and.not.to.have.any.keys('numbers', 'checkCode');
    expect((await browser.finish()).status).to.equal(200);
  });
});

describe('a number to tap', () => {
  it('is not asked for if Approve is enough, and an unexpected number is refused', async () => {
    const options: WorldOptions = { qrLogin: { checkCodeEntry: 'tap', assess: () => 'allow' } };
    await World.during(options, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.look()).json()).not.to.have.any.keys('numbers');
      expect(await browser.ticket()).not.to.have.any.keys('number');
      expect((await phone.approve({ match: '42' })).status).to.equal(400);
      expect((await phone.approve()).json()).to.include({ state: 'approved' });
    });
  });

  it('is not used if only the assessment at Approve demands the check code: then the user types the digits', async () => {
    let assessed = 0;
    const assess = (): 'allow' | 'check code' => (assessed++ === 0 ? 'allow' : 'check code');
    await World.during({ qrLogin: { checkCodeEntry: 'tap', assess } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.approve()).json().checkCode).to.match(/^\d{6}$/);
      expect(await browser.ticket()).to.include({ checkCode: true });
    });
  });

  it('makes the account wait after too many wrong taps in a row, like wrong check codes', async () => {
    const limits = { account: { consecutiveCheckCodes: 2 } };
    await World.during({ qrLogin: { checkCodeEntry: 'tap', assess: () => 'check code', limits } }, async (world) => {
      const paused = world.count('qr_login.paused');
      for (let times = 0; times < 2; times++) {
        const { phone, number, numbers } = await scanTicket(world);
        await phone.approve({ match: otherThan(number, numbers) });
      }
      expect(paused()).to.equal(1);
      const { browser, phone } = await world.meet();
      const answer = await phone.scan(await browser.code());
      expect(answer.status).to.equal(429);
      expect(answer.json()).to.include({ reason: 'check-codes' });
    });
  });
});
