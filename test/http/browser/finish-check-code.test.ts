import { expect } from 'chai';
import { type Assess, assessByDefault, type RiskContext, type Verdict } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import { assessByAddress } from '../../support/assess-by-address.ts';
import { StillClock } from '../../support/clock.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';

interface ApprovedSignIn {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  readonly answer: Answer;
  readonly checkCode: string;
}

/** Scans and approves. @returns the answer of the phone, with its check code */
async function approve(
  browser: BrowserPerson,
  phone: PhonePerson,
  more: Record<string, string> = {},
): Promise<ApprovedSignIn> {
  await browser.start();
  await phone.scan(await browser.code());
  const answer = await phone.approve(more);
  return { browser, phone, answer, checkCode: String(answer.json().checkCode) };
}

const TRUST = { remember: 'yes' };

/** Removes the session cookies of a browser. The cookie by which accounts recognize it stays. */
async function forgetSession({ agent, world }: BrowserPerson): Promise<void> {
  for (const { key } of await agent.jar.getCookies(world.issuer)) {
    if (key.startsWith('_session')) await agent.jar.setCookie(`${key}=; Max-Age=0; Path=/`, world.issuer);
  }
}

function wrong(checkCode: string): string {
  return checkCode === '000000' ? '000001' : '000000';
}

describe('the check code', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clock: new StillClock(), qrLogin: { assess: () => 'check code' } });
  });

  after(() => world?.stop());

  const approveSignIn = async (): Promise<ApprovedSignIn> =>
    approve(new BrowserPerson(world), await new PhonePerson(world).signIn());

  it('has six digits and is shown on the phone only', async () => {
    const { browser, phone, checkCode } = await approveSignIn();
    expect(checkCode).to.match(/^\d{6}$/);
    const page = await phone.agent.get(phone.at, { headers: { accept: 'text/html' } });
    expect(page.text).to.include(`<span>${checkCode.slice(0, 3)}</span> <span>${checkCode.slice(3)}</span>`);
    const ticket = await browser.ticket();
    expect(ticket).to.include({ state: 'approved', checkCode: true });
    expect(JSON.stringify(ticket)).not.to.include(checkCode);
    expect((await browser.agent.get(browser.at)).text).not.to.include(checkCode);
  });

  it('signs the browser in when it is typed, with or without spaces', async () => {
    for (const typed of [(code: string) => code, (code: string) => ` ${code.slice(0, 3)} ${code.slice(3)} `]) {
      const { browser, checkCode } = await approveSignIn();
      const { redirectTo } = (await browser.finish(typed(checkCode))).json();
      const arrived = await browser.arriveFrom(String(redirectTo));
      expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
    }
  });

  it('can be typed again after a wrong try', async () => {
    const { browser, checkCode } = await approveSignIn();
    const mistake = await browser.finish(wrong(checkCode));
    expect(mistake.status).to.equal(403);
    expect(mistake.json().error).to.equal('wrong_check_code');
    expect(mistake.json().error_description).to.include('2');
    expect((await browser.finish(checkCode)).status).to.equal(200);
  });

  it('keeps its deadline after a wrong try', async () => {
    const { browser, checkCode } = await approveSignIn();
    world.clock.forward(100);
    await browser.finish(wrong(checkCode));
    expect((await browser.ticket()).expiresIn).to.equal(20);
  });

  it('ends the ticket when it is wrong for the third time', async () => {
    const { browser, phone, checkCode } = await approveSignIn();
    const cancelled = world.collectPayloads('qr_login.cancelled');
    for (let tries = 0; tries < 3; tries++) expect((await browser.finish(wrong(checkCode))).status).to.equal(403);
    expect((await browser.ticket()).state).to.equal('cancelled');
    expect((await browser.finish(checkCode)).status).to.equal(410);
    expect((await phone.look()).status).to.equal(410);
    expect(cancelled).to.have.length(1);
    expect(cancelled[0]).to.include({ because: 'check code', accountId: 'a11ce' });

    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    await phone.scan(await browser.code());
    const again = String((await phone.approve()).json().checkCode);
    expect((await browser.finish(again)).status).to.equal(200);
  });

  it('allows three tries, even if they race', async () => {
    const { browser, checkCode } = await approveSignIn();
    const tries = Array.from({ length: 20 }, () => browser.finish(wrong(checkCode)));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 403)).to.have.length(3);
    expect(statuses.filter((status) => status === 410)).to.have.length(17);
  });

  it('does not count a try without six digits', async () => {
    const { browser, checkCode } = await approveSignIn();
    for (const typed of ['', '12345', '1234567', 'abcdef', '１２３４５', '12345\u0000', '-'.repeat(99)]) {
      const answer = await browser.finish(typed);
      expect(answer.status, typed).to.equal(400);
      expect(answer.json().error, typed).to.equal('check_code_required');
    }
    expect((await browser.finish()).status).to.equal(400);
    expect((await browser.finish(checkCode)).status).to.equal(200);
  });

  it('can be typed without JavaScript, and the error page links back', async () => {
    const { browser, checkCode } = await approveSignIn();
    const page = await browser.agent.get(browser.at);
    expect(page.text).to.match(/<div class="keeps" data-when="check-code"[^>]*data-icon="busy" >/);
    const mistake = await browser.agent.post(`${browser.at}/qr/finish`, { form: { checkCode: wrong(checkCode) } });
    expect(mistake.status).to.equal(403);
    expect(mistake.text).to.include('data-error="wrong_check_code"').and.to.include(`href="${page.url.pathname}"`);
    const right = await browser.agent.post(`${browser.at}/qr/finish`, { form: { checkCode } });
    expect(right.status).to.equal(303);
  });

  it('differs for each ticket', async () => {
    const first = await approveSignIn();
    const second = await approveSignIn();
    expect(first.checkCode).not.to.equal(second.checkCode);
    expect((await second.browser.finish(first.checkCode)).status).to.equal(403);
  });

  it('is required if assess() returns "check code"', async () => {
    const contexts: RiskContext[] = [];
    const assess = (context: RiskContext): Verdict => {
      contexts.push(context);
      return context.accountId === 'b0b' ? 'check code' : 'allow';
    };
    await World.during({ qrLogin: { assess } }, async (other) => {
      const alice = await approve(new BrowserPerson(other), await new PhonePerson(other).signIn('alice'));
      const bob = await approve(new BrowserPerson(other), await new PhonePerson(other).signIn('bob'));
      expect(alice.answer.json()).not.to.have.property('checkCode');
      expect(bob.checkCode).to.match(/^\d{6}$/);
      expect(contexts[0]?.browser).to.include({ name: 'Chrome', system: 'Windows', known: false });
      expect(contexts[0]?.request.client).to.include({ id: 'test-rp' });
    });
  });
});

describe('the check code that an assessment demands', () => {
  const worlds: World[] = [];

  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  const start = async (options: WorldOptions = {}, assess: Assess = assessByAddress): Promise<World> => {
    const world = await World.start({ ...options, qrLogin: { assess } });
    worlds.push(world);
    return world;
  };
  /** Returns true if a browser and a phone with these headers need a check code. */
  const isNeeded = async (
    world: World,
    ...headers: [Record<string, string>, Record<string, string>]
  ): Promise<unknown> => {
    const phone = await new PhonePerson(world, headers[1]).signIn();
    return 'checkCode' in (await approve(new BrowserPerson(world, headers[0]), phone)).answer.json();
  };
  const from = (addresses: string): Record<string, string> => ({ 'x-forwarded-for': addresses });

  it('is needed by default even if browser and phone share a public address', async () => {
    const world = await start({ proxy: true }, assessByDefault);
    expect(await isNeeded(world, from('192.0.2.7'), from('192.0.2.7'))).to.equal(true);
  });

  it('is not needed if browser and phone share a public address and the assessment accepts that', async () => {
    const world = await start({ proxy: true });
    for (const address of ['192.0.2.7', '2001:db8::7']) {
      expect(await isNeeded(world, from(address), from(address)), address).to.equal(false);
    }
  });

  it('is needed if browser and phone share an address that is not public', async () => {
    expect(await isNeeded(await start(), {}, {})).to.equal(true);
    const world = await start({ proxy: true });
    for (const address of [
      '127.0.0.1',
      '::1',
      '10.0.0.1',
      '192.168.1.1',
      '::ffff:10.0.0.1',
      'fd00::1',
      'unknown',
      '',
    ]) {
      expect(await isNeeded(world, from(address), from(address)), address).to.equal(true);
    }
  });

  it('is needed if the addresses of browser and phone differ', async () => {
    expect(await isNeeded(await start({ proxy: true }), from('192.0.2.7'), from('198.51.100.3'))).to.equal(true);
  });

  it('is needed if a client adds addresses to the header of the proxy', async () => {
    const world = await start({ proxy: true });
    expect(await isNeeded(world, from('192.0.2.7, 203.0.113.5'), from('192.0.2.7'))).to.equal(true);
    expect(await isNeeded(world, from('192.0.2.7'), from('192.0.2.7, 203.0.113.5'))).to.equal(true);
    expect(await isNeeded(world, from('192.0.2.7, 203.0.113.5'), from('192.0.2.7, 203.0.113.9'))).to.equal(true);
  });

  it('is needed behind a proxy that the deployment has not declared', async () => {
    const world = await start();
    expect(await isNeeded(world, from('192.0.2.7'), from('192.0.2.7'))).to.equal(true);
    expect(await isNeeded(world, from('192.0.2.7'), {})).to.equal(true);
    expect(await isNeeded(world, { forwarded: 'for=192.0.2.7' }, { forwarded: 'for=192.0.2.7' })).to.equal(true);
  });

  it('is not needed in a browser that this account trusts, but is needed for another account', async () => {
    const world = await start({ proxy: true }, assessByDefault);
    const browser = new BrowserPerson(world, from('192.0.2.7'));
    const alice = await new PhonePerson(world, from('198.51.100.3')).signIn('alice');
    const first = await approve(browser, alice, TRUST);
    expect(first.checkCode).to.match(/^\d{6}$/);
    await browser.arriveFrom(String((await browser.finish(first.checkCode)).json().redirectTo));
    await forgetSession(browser);

    const second = await approve(browser, alice);
    expect(second.answer.json()).not.to.have.property('checkCode');
    const bob = await new PhonePerson(world, from('198.51.100.3')).signIn('bob');
    expect((await approve(browser, bob)).checkCode).to.match(/^\d{6}$/);
  });

  it('is needed if the cookie by which the account recognizes the browser is not signed', async () => {
    const world = await start({ proxy: true }, assessByDefault);
    const browser = new BrowserPerson(world, from('192.0.2.7'));
    const known = await approve(browser, await new PhonePerson(world, from('198.51.100.3')).signIn('alice'), TRUST);
    await browser.arriveFrom(String((await browser.finish(known.checkCode)).json().redirectTo));
    const memory = (await browser.agent.jar.getCookies(`${browser.at}`)).filter(({ key }) => key === '_qr_memory');
    expect(memory).to.have.length(1);
    const other = new BrowserPerson(world, from('192.0.2.9'));
    for (const { key, value } of memory) {
      await other.agent.jar.setCookie(`${key}=${value}; path=/interaction`, world.issuer);
    }
    const phone = await new PhonePerson(world, from('198.51.100.3')).signIn('alice');
    // The cookie was copied without the cookie that holds its signature.
    expect((await approve(other, phone)).checkCode).to.match(/^\d{6}$/);
  });
});
