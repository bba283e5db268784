import { expect } from 'chai';
import type { Verdict } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import { TestClock } from '../../support/clock.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { shortCodeOn, typeIn } from '../../support/typing.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';
import { requestAndShow } from '../actions/actions.ts';

const MOST = 4;
const DAY_S = 24 * 60 * 60;

/** High values for the other limits, so that a test does not reach them. */
const account = { scan: 1000, decide: 1000, checkCode: 1000, consecutiveCheckCodes: MOST };
const LIMITED: WorldOptions = { qrLogin: { assess: () => 'check code', limits: { account } } };

interface ApprovedSignIn {
  readonly browser: BrowserPerson;
  readonly checkCode: string;
}

async function approveSignIn(phone: PhonePerson): Promise<ApprovedSignIn> {
  const browser = new BrowserPerson(phone.world);
  await browser.start();
  await phone.scan(await browser.code());
  return { browser, checkCode: String((await phone.approve()).json().checkCode) };
}

/** Types wrong check codes, at most two at each browser, so that no ticket ends. */
async function typeWrong(phone: PhonePerson, times: number): Promise<void> {
  for (let left = times; left > 0; left -= 2) {
    const { browser, checkCode } = await approveSignIn(phone);
    const wrong = checkCode === '000000' ? '000001' : '000000';
    for (let tries = Math.min(left, 2); tries > 0; tries--) {
      expect((await browser.finish(wrong)).json().error).to.equal('wrong_check_code');
    }
  }
}

/** Scans the code of a new browser. @returns the phone's answer */
async function scanNewCode(phone: PhonePerson): Promise<Answer> {
  const browser = new BrowserPerson(phone.world);
  await browser.start();
  return phone.scan(await browser.code());
}

function expectPaused(answer: Answer): void {
  expect(answer.status).to.equal(429);
  expect(answer.json()).to.include({ error: 'too_many_requests', reason: 'check-codes' });
  expect(Number(answer.headers.get('retry-after'))).to.be.within(DAY_S - 60, DAY_S);
}

describe('wrong check codes in a row', () => {
  it('do not stop an action that is decided on the device that shows it, because this takes no check code', () =>
    World.during(LIMITED, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      await typeWrong(phone, MOST);
      expectPaused(await scanNewCode(phone));
      const approval = await world.qr.requestApproval({ accountId: 'a11ce', title: 'Pay €12.50' });
      await phone.agent.get(approval.url, { headers: { accept: 'text/html' } });
      const opened = await phone.agent.post(approval.url, { form: { here: 'yes' } });
      expect((await phone.scan(new URL(opened.location, world.issuer).href)).status).to.equal(200);
      expect((await phone.approve()).json().state).to.equal('approved');
      const finished = await phone.agent.post(`${approval.url}/qr/finish`, { json: {} });
      expect(finished.status).to.equal(200);
      expect((await approval.result).outcome).to.equal('approved');
      const elsewhere = await requestAndShow({ world });
      expectPaused(await phone.scan(await elsewhere.browser.code()));
      await elsewhere.approval.cancel();
    }));

  it('stop the check codes of the account for a day, and the phone and the browser are told why', async () => {
    const clock = new TestClock();
    // The clock starts in the past and reaches the real time after the pause, because interactions expire by the real
    // clock.
    clock.forward(-(DAY_S + 600));
    await World.during({ ...LIMITED, clock }, async (world) => {
      const paused = world.collectPayloads('qr_login.paused');
      const phone = await new PhonePerson(world).signIn();
      const earlier = await approveSignIn(phone);
      await typeWrong(phone, MOST);
      expect(paused).to.have.length(1);
      const [event] = paused as { accountId: string; from: string; until: Date }[];
      expect(event?.accountId).to.equal('a11ce');
      expect(event?.until.getTime()).to.be.closeTo(world.clock.now() + DAY_S * 1000, 60_000);

      expectPaused(await scanNewCode(phone));
      expectPaused(await earlier.browser.finish(earlier.checkCode));
      const page = await earlier.browser.agent.post(`${earlier.browser.at}/qr/finish`, {
        form: { checkCode: earlier.checkCode },
        headers: { accept: 'text/html' },
      });
      expect(page.text).to.include('typed wrong too often in a row');

      world.clock.forward(DAY_S + 1);
      const { browser, checkCode } = await approveSignIn(phone);
      expect((await browser.finish(checkCode)).status).to.equal(200);
    });
  });

  it('are counted from zero again after a right one', async () => {
    await World.during(LIMITED, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      for (let series = 0; series < 3; series++) {
        await typeWrong(phone, MOST - 1);
        const { browser, checkCode } = await approveSignIn(phone);
        expect((await browser.finish(checkCode)).status).to.equal(200);
      }
    });
  });

  it('do not stop other accounts, sign-ins without a check code, or the password page', async () => {
    let verdict: Verdict = 'check code';
    const qrLogin = { ...LIMITED.qrLogin, assess: () => verdict };
    await World.during({ ...LIMITED, qrLogin }, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      await typeWrong(phone, MOST);
      expectPaused(await scanNewCode(phone));
      expect((await scanNewCode(await new PhonePerson(world).signIn('bob'))).status).to.equal(200);
      const again = await new PhonePerson(world).signIn();
      verdict = 'allow';
      const browser = new BrowserPerson(world);
      await browser.start();
      expect((await again.scan(await browser.code())).status).to.equal(200);
      await again.approve();
      expect((await browser.finish()).status).to.equal(200);
    });
  });

  it('stop sign-ins by a short code, because they always require the check code', async () => {
    let verdict: Verdict = 'check code';
    const qrLogin = { ...LIMITED.qrLogin, shortCode: true, assess: () => verdict };
    await World.during({ ...LIMITED, qrLogin }, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      await typeWrong(phone, MOST);
      verdict = 'allow';
      const browser = new BrowserPerson(world);
      await browser.start();
      expectPaused(await typeIn(phone, world, await shortCodeOn(browser)));
    });
  });

  it('are counted by all nodes on one Redis together', async () => {
    await RedisWorld.during(LIMITED, async (first) => {
      const second = await RedisWorld.start({ ...LIMITED, issuer: first.world.issuer }, first.redis);
      try {
        await typeWrong(await new PhonePerson(first.world).signIn(), MOST - 1);
        const phone = await new PhonePerson(first.world).signIn();
        const { browser, checkCode } = await approveSignIn(phone);
        const wrong = checkCode === '000000' ? '000001' : '000000';
        const paused = second.world.collectPayloads('qr_login.paused');
        const finish = browser.at.replace(first.world.origin, second.world.origin);
        const cookie = await browser.agent.jar.getCookieString(browser.at);
        const answer = await fetch(`${finish}/qr/finish`, {
          method: 'POST',
          headers: { cookie, 'content-type': 'application/json', origin: first.world.origin },
          body: JSON.stringify({ checkCode: wrong }),
        });
        expect(answer.status).to.equal(403);
        expect(paused).to.have.length(1);
        expectPaused(await scanNewCode(phone));
      } finally {
        await second.stop();
      }
    });
  });
});
