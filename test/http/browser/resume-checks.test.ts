import { expect } from 'chai';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('the URL that resumes a finished sign-in', () => {
  /** Signs in, up to the answer to the finish request. */
  async function finishSignIn(
    world: World,
    parameters: Record<string, string> = {},
  ): Promise<{ browser: BrowserPerson; phone: PhonePerson; resume: () => Promise<URL> }> {
    const { browser, phone } = await world.meet('alice', parameters);
    await phone.scan(await browser.code());
    await phone.approve();
    const { redirectTo } = (await browser.finish()).json();
    return { browser, phone, resume: () => browser.arriveFrom(String(redirectTo)) };
  }

  const errorIn = (url: URL): string | null => url.searchParams.get('error');

  it('signs the browser in, even long after the finish', async () => {
    await World.during({}, async (world) => {
      const { resume } = await finishSignIn(world);
      world.clock.forward(1800);
      expect((await resume()).searchParams.get('code')).to.be.a('string');
    });
  });

  it('ends with access_denied at the app if the account has been removed since', async () => {
    let isRemoved = false;
    const findAccount = (id: string) => (isRemoved ? undefined : { name: id });
    await World.during({ qrLogin: { findAccount } }, async (world) => {
      const { browser, resume } = await finishSignIn(world);
      isRemoved = true;
      expect(errorIn(await resume())).to.equal('access_denied');
      isRemoved = false;
      expect(errorIn(new URL((await browser.start({ prompt: 'none' })).location))).to.equal('login_required');
    });
  });

  it('ends with access_denied if the phone has signed out since', async () => {
    await World.during({}, async (world) => {
      const { phone, resume } = await finishSignIn(world);
      await phone.signOut();
      expect(errorIn(await resume())).to.equal('access_denied');
    });
  });

  it('cannot be tried again after a refusal', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      const { redirectTo } = (await browser.finish()).json();
      await phone.decide('report');
      expect(errorIn(await browser.arriveFrom(String(redirectTo)))).to.equal('access_denied');
      const again = await browser.goOn(String(redirectTo));
      expect(again.status).to.equal(400);
    });
  });
});

describe('max_age', () => {
  /** Approves on a phone that had signed in three seconds before it scanned. */
  async function approveSignIn(world: World): Promise<{ browser: BrowserPerson; phone: PhonePerson }> {
    const { browser, phone } = await world.meet('alice', { max_age: '5' });
    await phone.backdateSignIn(3);
    await phone.scan(await browser.code());
    expect((await phone.approve()).json().state).to.equal('approved');
    return { browser, phone };
  }

  it('is checked again when the browser finishes', async () => {
    await World.during({}, async (world) => {
      const { browser } = await approveSignIn(world);
      world.clock.forward(10);
      const arrived = await browser.arrive();
      expect(arrived.searchParams.get('error')).to.equal('login_required');
    });
  });

  it('is checked again when the browser resumes', async () => {
    await World.during({}, async (world) => {
      const { browser } = await approveSignIn(world);
      const { redirectTo } = (await browser.finish()).json();
      world.clock.forward(10);
      const arrived = await browser.arriveFrom(String(redirectTo));
      expect(arrived.searchParams.get('error')).to.equal('login_required');
    });
  });

  it('is met by a sign-in for this request, even if the other steps take longer than max_age', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet('alice', { max_age: '5' });
      await phone.backdateSignIn(60);
      await phone.scan(await browser.code());
      const { unmet, signInAgain } = (await phone.look()).json();
      expect(unmet).to.equal('freshness');
      await phone.signInAt(String(signInAgain));
      world.clock.forward(20);
      await phone.approve();
      world.clock.forward(20);
      expect((await browser.arrive()).searchParams.get('code')).to.be.a('string');
    });
  });
});

describe('prompt=login', () => {
  const unmetBy = async (phone: PhonePerson): Promise<unknown> => (await phone.look()).json().unmet;

  it('is not met by an older session, even if the clock of its node is ahead', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet('alice', { prompt: 'login' });
      await phone.backdateSignIn(-90);
      await phone.scan(await browser.code());
      expect(await unmetBy(phone)).to.equal('freshness');
    });
  });

  it('is not met by a sign-in in the same second, but before the request', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet('alice', { prompt: 'login' });
      await phone.backdateSignIn(0);
      await phone.scan(await browser.code());
      expect(await unmetBy(phone)).to.equal('freshness');
    });
  });

  it('is met by the sign-in that the phone was sent to, even within the same second as the previous sign-in', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet('alice', { prompt: 'login' });
      await phone.scan(await browser.code());
      await phone.signInAt(String((await phone.look()).json().signInAgain));
      expect(await unmetBy(phone)).to.equal(undefined);
      expect((await phone.approve()).json().state).to.equal('approved');
    });
  });

  it('is met by the sign-in of a phone that was not signed in when it scanned', async () => {
    await World.during({}, async (world) => {
      const { browser } = await world.meet('alice', { prompt: 'login' });
      const fresh = new PhonePerson(world);
      const code = await browser.code();
      await fresh.signInAt(code);
      await fresh.scan(code);
      expect(await unmetBy(fresh)).to.equal(undefined);
    });
  });

  it('is not met by a consent to another app, although that changes the id of the session', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet('alice', { prompt: 'login' });
      await phone.scan(await browser.code());
      const other = new BrowserPerson(world);
      Object.assign(other, { agent: phone.agent });
      const page = await other.start({ prompt: 'consent' });
      const { redirectTo } = (await phone.agent.post(`${page.url}/consent`, { json: {} })).json();
      await other.goOn(String(redirectTo));
      expect(await unmetBy(phone)).to.equal('freshness');
    });
  });

  it('is not met if the phone removes the cookie with the id of its sign-in', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet('alice', { prompt: 'login' });
      const url = `${world.issuer}/qr/scan`;
      const cookies = await phone.agent.jar.getCookies(url);
      await phone.scan(await browser.code());
      for (const { key } of cookies.filter(({ key: name }) => name.startsWith('_qr_sign_in'))) {
        await phone.agent.jar.setCookie(`${key}=; Path=/qr; Max-Age=0`, url);
      }
      expect(await unmetBy(phone)).to.equal('freshness');
    });
  });
});
