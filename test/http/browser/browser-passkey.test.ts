import { expect } from 'chai';
import { Authenticator } from '../../security/guard/authenticator.ts';
import type { Answer } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';

const HTML = { headers: { accept: 'text/html' } };
const JSON_ANSWER = { headers: { accept: 'application/json' } };
const ALICE = 'a11ce';
const OFFERING: WorldOptions = { passkeys: true, browserPasskeys: true };

describe('a browser that a phone has signed in', () => {
  let world: World;
  let browser: BrowserPerson;
  let phone: PhonePerson;

  before(async () => {
    world = await World.start(OFFERING);
  });
  after(() => world?.stop());

  beforeEach(async () => {
    ({ browser, phone } = await world.meet());
  });

  /** Signs the browser in, up to the page after the consent page. */
  const signIn = async (more: Record<string, string> = { remember: 'yes' }): Promise<Answer> => {
    await phone.scan(await browser.code());
    await phone.approve(more);
    const { redirectTo } = (await browser.finish()).json();
    let page = await browser.goOn(`${redirectTo}`);
    if (page.text.includes('/consent"')) {
      const granted = await browser.agent.post(`${page.url}/consent`, { json: {} });
      page = await browser.goOn(`${granted.json().redirectTo}`);
    }
    browser.at = page.url.href;
    return page;
  };
  const post = (json: Record<string, string>): Promise<Answer> =>
    browser.agent.post(`${browser.at}/qr/new-passkey`, { json });
  /** Asks the phone. @returns the page with the code */
  const ask = async (): Promise<string> => `${world.origin}${(await post({})).json().redirectTo}`;
  /** Approves the action that a page shows, and confirms it on that page. */
  const approve = async (page: string): Promise<Answer> => {
    const { qr } = (await browser.agent.get(`${page}/qr`)).json() as { qr: { url: string } };
    await phone.scan(qr.url);
    await phone.approve();
    return browser.agent.post(`${page}/qr/finish`, { json: {} });
  };
  const creation = async (): Promise<{ challenge: string; user: { id: string } }> => {
    const page = await browser.agent.get(browser.at, HTML);
    const [, options = ''] = /data-options="([^"]+)"/.exec(page.text) ?? [];
    return JSON.parse(options.replaceAll('&quot;', '"') || '{"challenge":""}');
  };
  const forgetSession = async (): Promise<void> => {
    await browser.agent.jar.setCookie('_session=; Max-Age=0; path=/', world.issuer);
  };
  const isAtRp = (answer: Answer): boolean => new URL(answer.location || 'none:').searchParams.has('code');

  it('is offered a passkey once, and "Not now" leads to the app', async () => {
    const page = await signIn();
    expect(page.text).to.include('without your phone next time');
    const { redirectTo } = (await post({ skip: 'yes' })).json();
    expect(isAtRp(await browser.goOn(`${redirectTo}`))).to.equal(true);

    await forgetSession();
    await browser.start();
    expect(isAtRp(await signIn())).to.equal(true);
  });

  it('is offered no passkey if its user has not chosen to stay signed in there, or with prompt=none', async () => {
    expect(isAtRp(await signIn({}))).to.equal(true);
    const { location } = await browser.start({ prompt: 'none' });
    expect(location).not.to.include('interaction_required');
  });

  it('gets the passkey that the phone has approved, and from then on shows the passkey button above the QR code', async () => {
    await signIn();
    const page = await ask();
    const { redirectTo } = (await approve(page)).json();
    expect(new URL(`${redirectTo}`, world.origin).href).to.equal(browser.at);
    expect((await browser.agent.get(browser.at, HTML)).text).to.include('Your phone has approved');
    const passkey = new Authenticator(world.issuer);
    const added = await post({ credential: passkey.create((await creation()).challenge, ALICE) });
    expect(isAtRp(await browser.goOn(`${added.json().redirectTo}`))).to.equal(true);

    const next = new BrowserPerson(world);
    await next.start();
    const { challenge } = (await next.agent.get(`${next.at}/qr/passkey`)).json();
    const signedIn = await next.agent.post(`${next.at}/qr/passkey`, {
      json: { proof: passkey.answer(`${challenge}`) },
    });
    expect(signedIn.status).to.equal(200);

    await forgetSession();
    const { text } = await browser.start();
    expect(text.indexOf('data-passkey')).to.be.within(1, text.indexOf('data-code'));
    const { text: other } = await new BrowserPerson(world).start();
    expect(other.indexOf('data-passkey')).to.be.above(other.indexOf('data-code'));
  });

  it('is described on the phone: its name, and a warning if it was signed in long ago or is not trusted', async () => {
    await signIn();
    const shownOn = async (): Promise<string> => {
      const { qr } = (await browser.agent.get(`${await ask()}/qr`)).json() as { qr: { url: string } };
      await phone.scan(qr.url);
      return (await phone.agent.get(phone.at, HTML)).text;
    };
    const fresh = await shownOn();
    expect(fresh).to.include('Add a passkey in another browser').and.include('Browser: Chrome');
    expect(fresh).not.to.include('Warning');
    world.clock.forward(7 * 60);
    expect(await shownOn()).to.include('Warning: signed in there 7 minutes ago');

    // Another browser that signs in without being trusted. The RP asks for the passkey, with prompt=browser_passkey.
    const other = new BrowserPerson(world);
    await other.start();
    browser = other;
    await signIn({});
    const page = await browser.start({ prompt: 'browser_passkey' });
    expect(page.text).to.include('without your phone next time');
    expect(await shownOn()).to.include('Warning: your account does not trust that browser');
  });

  it('can ask the phone from a page in a language that is written from right to left', async () => {
    await signIn();
    const answer = await browser.agent.post(`${browser.at}/qr/new-passkey`, {
      headers: { 'accept-language': 'ar' },
      json: {},
    });
    expect(answer.status, answer.text).to.equal(200);
  });

  it('adds no passkey without the approval, or after the phone has declined', async () => {
    await signIn();
    const passkey = new Authenticator(world.issuer);
    expect((await post({ credential: passkey.create('made-up', ALICE) })).status).to.equal(409);
    const page = await ask();
    expect((await browser.agent.get(browser.at, HTML)).headers.get('location')).to.equal(new URL(page).pathname);
    const { qr } = (await browser.agent.get(`${page}/qr`)).json() as { qr: { url: string } };
    await phone.scan(qr.url);
    expect((await post({ credential: passkey.create('made-up', ALICE) })).status).to.equal(409);
    await phone.deny();
    expect((await browser.agent.get(browser.at, HTML)).text).to.include('Your phone has not approved it');
    expect((await post({ credential: passkey.create('made-up', ALICE) })).status).to.equal(409);
  });

  it('adds no passkey for another challenge, and this attempt uses up the approval', async () => {
    await signIn();
    await approve(await ask());
    const { challenge } = await creation();
    const passkey = new Authenticator(world.issuer);
    const forged = await post({ credential: passkey.create([...challenge].reverse().join(''), ALICE) });
    expect(forged.status).to.equal(403);
    expect(forged.json()).to.include({ error: 'wrong_proof' });
    expect((await post({ credential: passkey.create(challenge, ALICE) })).status).to.equal(409);
  });

  it('adds no passkey with the approval of an earlier challenge, or of another browser', async () => {
    await signIn();
    const [first, second] = [await ask(), await ask()];
    await approve(first);
    expect((await post({ credential: new Authenticator(world.issuer).create('any', ALICE) })).status).to.equal(409);
    await browser.agent.post(`${second}/cancel`, { json: {} });

    const own = browser;
    browser = new BrowserPerson(world);
    await browser.start();
    await signIn();
    await approve(await ask());
    const { challenge } = await creation();
    browser = own;
    expect((await post({ credential: new Authenticator(world.issuer).create(challenge, ALICE) })).status).to.equal(409);
  });

  it('adds only one of two passkeys that are sent at the same time', async () => {
    await signIn();
    await approve(await ask());
    const { challenge } = await creation();
    const two = [new Authenticator(world.issuer), new Authenticator(world.issuer)];
    const answers = await Promise.all(two.map((one) => post({ credential: one.create(challenge, ALICE) })));
    // The later request gets 409, or, if the earlier one has stored its passkey by then, 200 with `redirectTo`.
    for (const { status } of answers) expect(status).to.be.oneOf([200, 409]);
    const { passkeys } = (await phone.agent.get(`${world.issuer}/qr/devices`, JSON_ANSWER)).json();
    expect((passkeys as { id: string }[]).filter(({ id }) => two.some((one) => one.id === id))).to.have.length(1);
  });

  it('can repeat a request whose answer was lost', async () => {
    await signIn();
    await approve(await ask());
    const credential = new Authenticator(world.issuer).create((await creation()).challenge, ALICE);
    const [first, again] = [await post({ credential }), await post({ credential })];
    expect(again.json()).to.deep.equal(first.json());
    expect((await browser.agent.get(browser.at, HTML)).status).to.equal(303);
  });

  it('loses its passkey at /qr/devices if the user removes the passkey or the browser', async () => {
    const devices = async (): Promise<{ csrf: string; passkeys: { id: string; name: string }[]; browsers: object[] }> =>
      (await phone.agent.get(`${world.issuer}/qr/devices`, JSON_ANSWER)).json() as never;
    const submit = async (fields: Record<string, string>): Promise<void> => {
      const { csrf } = await devices();
      await phone.agent.post(`${world.issuer}/qr/devices`, {
        headers: { accept: 'application/json' },
        json: { csrf, ...fields },
      });
    };
    await submit({ end: 'all' });
    phone = await new PhonePerson(world).signIn();
    for (const act of ['passkey', 'end', 'forget', 'all'] as const) {
      browser = new BrowserPerson(world);
      await browser.start();
      await signIn();
      await approve(await ask());
      const passkey = new Authenticator(world.issuer);
      const { redirectTo } = (await post({ credential: passkey.create((await creation()).challenge, ALICE) })).json();
      await browser.goOn(`${redirectTo}`);
      const { passkeys, browsers, known } = (await devices()) as never as Record<
        string,
        { id: string; name: string }[]
      >;
      expect(passkeys?.map(({ id, name }) => ({ id, name }))).to.deep.equal([{ id: passkey.id, name: 'Chrome' }]);
      if (act === 'passkey') await submit({ passkey: passkey.id });
      else if (act === 'all') await submit({ end: 'all' });
      else await submit({ [act]: `${(act === 'end' ? browsers : known)?.[0]?.id}` });
      phone = act === 'all' ? await new PhonePerson(world).signIn() : phone;
      expect((await devices()).passkeys, act).to.deep.equal([]);
    }
  });

  it('has a passkey that another account can neither list nor remove', async () => {
    await signIn();
    await approve(await ask());
    const passkey = new Authenticator(world.issuer);
    await post({ credential: passkey.create((await creation()).challenge, ALICE) });
    const bob = await new PhonePerson(world).signIn('bob');
    const at = `${world.issuer}/qr/devices`;
    const { csrf, passkeys } = (await bob.agent.get(at, JSON_ANSWER)).json();
    expect(passkeys).to.deep.equal([]);
    await bob.agent.post(at, { ...JSON_ANSWER, json: { csrf, passkey: passkey.id } });
    expect((await phone.agent.get(at, JSON_ANSWER)).text).to.include(passkey.id);
  });

  it('gets a passkey that is requested at one node, approved at another, and used at both', () =>
    RedisWorld.during(OFFERING, async (one) => {
      const [two, alone] = [await RedisWorld.start({ ...OFFERING, issuer: one.world.issuer }, one.redis), world];
      try {
        world = one.world;
        ({ browser, phone } = await world.meet());
        await signIn();
        const page = await ask();
        const { qr } = (await browser.agent.get(`${page}/qr`)).json() as { qr: { url: string } };
        const elsewhere = Object.assign(new PhonePerson(two.world), { agent: phone.agent });
        await elsewhere.scan(qr.url.replace(one.world.origin, two.world.origin));
        expect((await elsewhere.approve()).json().state).to.equal('approved');
        await browser.agent.post(`${page}/qr/finish`, { json: {} });
        const passkey = new Authenticator(world.issuer);
        const added = await post({ credential: passkey.create((await creation()).challenge, ALICE) });
        expect(isAtRp(await browser.goOn(`${added.json().redirectTo}`))).to.equal(true);

        const next = new BrowserPerson(one.world);
        await next.start();
        const at = next.at.replace(one.world.origin, two.world.origin);
        const { challenge } = (await next.agent.get(`${at}/qr/passkey`)).json();
        const json = { proof: passkey.answer(`${challenge}`) };
        expect((await next.agent.post(`${next.at}/qr/passkey`, { json })).status).to.equal(200);
      } finally {
        world = alone;
        await two.leave();
      }
    }));
});
