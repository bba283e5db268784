import { expect } from 'chai';
import { ClockStep } from '../support/clock-step.ts';
import { Nodes } from '../support/nodes.ts';
import { PageVisitor, patiently } from '../support/page-visitor.ts';
import { RedisServer } from '../support/redis.ts';
import { eventually } from '../support/until.ts';
import { PhoneVisitor } from '../support/visitors.ts';

/**
 * The size of the step in seconds. It is longer than the 120 s in which a code can be scanned or an approval finished.
 */
const STEP_S = 150;

type State = 'waiting' | 'scanned' | 'approved' | 'redeemed';

/** A sign-in that is in this state when the clock steps. */
interface UnderWay {
  readonly browser: PageVisitor;
  readonly phone: PhoneVisitor;
  readonly user: string;
  readonly state: State;
  readonly redirectTo: string;
}

describe('a step of the clock of Redis', function () {
  this.timeout(120_000);
  let clock: ClockStep;
  let redis: RedisServer;
  let nodes: Nodes;
  let people = 0;

  beforeEach(async () => {
    clock = new ClockStep();
    redis = await RedisServer.start({ env: clock.env });
    nodes = await Nodes.start({ redis: { url: redis.url }, nodes: [{}, {}], people: 20 });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
    await nodes?.stop();
    await redis?.stop();
    clock?.stop();
  });

  it(`${STEP_S} s back does not stop any sign-in under way, and new sign-ins work immediately`, async () => {
    const met = await beginAll();
    await step(-STEP_S);
    for (const one of met) expect(await goOn(one), one.state).to.equal(one.user);
    await expectNewSignIns();
  });

  it(`${STEP_S} s ahead ends unfinished sign-ins: their pages show new codes, and these codes work`, async () => {
    const met = await beginAll();
    const [waiting, , approved, redeemed] = met;
    if (!waiting || !approved || !redeemed) throw new Error('not all states are covered');
    await step(STEP_S);
    expect((await approved.browser.finish()).status).to.be.oneOf([404, 409, 410]);
    expect((await waiting.browser.ticket()).state).to.equal('expired');
    // The records of oidc-provider live longer than the step.
    expect(await goOn(redeemed)).to.equal(redeemed.user);
    for (const { browser, phone, user } of [waiting, approved]) {
      expect((await browser.post(`${browser.at}/qr/renew`, {})).json().state).to.equal('waiting');
      expect(await signIn(browser, phone)).to.equal(user);
    }
    await expectNewSignIns();
  });

  async function beginAll(): Promise<UnderWay[]> {
    const states: State[] = ['waiting', 'scanned', 'approved', 'redeemed'];
    return Promise.all(states.map((state, index) => begin(state, index)));
  }

  async function begin(state: State, index: number): Promise<UnderWay> {
    const user = `user${people++}`;
    // On a busy machine the store may seem unavailable at any time.
    const browser = new PageVisitor(nodes.site, patiently(nodes.networkTo(index % 2)));
    const phone = new PhoneVisitor(nodes.site, patiently(nodes.networkTo((index + 1) % 2)));
    await browser.start();
    await phone.signInAt(`${nodes.issuer}/account`, user);
    let redirectTo = '';
    if (state !== 'waiting') expect((await phone.scan(await browser.code())).status).to.equal(200);
    if (state === 'approved' || state === 'redeemed') expect(await phone.approve()).to.include({ state: 'approved' });
    if (state === 'redeemed') redirectTo = `${(await browser.finish()).json().redirectTo}`;
    return { browser, phone, user, state, redirectTo };
  }

  /** Steps the clock of Redis, and waits until Redis has noticed. */
  async function step(seconds: number): Promise<void> {
    const before = await timeOfRedis();
    clock.set(seconds);
    await eventually('the clock has changed', async () => Math.abs((await timeOfRedis()) - before) > STEP_S / 2);
  }

  async function timeOfRedis(): Promise<number> {
    const [seconds] = (await redis.command('TIME')) as string[];
    return Number(seconds);
  }

  /** Continues a sign-in. @returns the account that the RP gets */
  async function goOn({ browser, phone, state, redirectTo }: UnderWay): Promise<string | undefined> {
    if (state === 'redeemed') return (await browser.tokens(redirectTo)).claims()?.sub;
    if (state === 'waiting') return signIn(browser, phone);
    if (state === 'scanned') expect(await phone.approve()).to.include({ state: 'approved' });
    return (await browser.tokens((await browser.finish()).json().redirectTo)).claims()?.sub;
  }

  /** Signs in. As a user would, scans the code that the screen shows, again and again, until a scan is accepted. */
  async function signIn(browser: PageVisitor, phone: PhoneVisitor): Promise<string | undefined> {
    let code = '';
    await eventually('a code is known', async () => {
      // After a scan whose answer was lost, no code is shown any more, so scan the same code again.
      const { qr } = (await browser.ticket()) as { qr?: { url: string } };
      code = qr?.url ?? code;
      return code !== '' && (await phone.scan(code)).status === 200;
    });
    expect(await phone.approve()).to.include({ state: 'approved' });
    await browser.untilState('approved');
    return (await browser.tokens((await browser.finish()).json().redirectTo)).claims()?.sub;
  }

  /** Expects that a new sign-in works with the browser on either node and the phone on the other. */
  async function expectNewSignIns(): Promise<void> {
    for (const index of [0, 1]) {
      const { browser, phone, user } = await begin('waiting', index);
      expect(await signIn(browser, phone)).to.equal(user);
    }
  }
});
