import { expect } from 'chai';
import { assessByDefault } from '../../../src/index.ts';
import type { Agent, Answer } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { StillClock } from '../../support/clock.ts';
import { forget, ownBrowsers, signOut } from '../../support/own-browsers.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';

const JSON_PLEASE = { accept: 'application/json' };
/** Alice's account may be used in enrolled browsers only. */
const OPTIONS: WorldOptions = { qrLogin: { enrolled: async (_client, accountId) => accountId === 'a11ce' } };

/** Runs a test against a store in memory and against Redis. */
function inEachStore(name: string, act: (world: World) => Promise<void>): void {
  it(name, () => World.during(OPTIONS, act));
  it(`${name}, over Redis`, () => RedisWorld.during(OPTIONS, ({ world }) => act(world)));
}

describe('an account that may be used in enrolled browsers only', () => {
  inEachStore(
    'approves a browser that it has enrolled, whose key signs the code and the finish request',
    async (world) => {
      const { browser, phone } = await world.meet();
      const key = await enrolAndShowKey(browser);
      await phone.scan(await browser.code());
      expect((await phone.look()).json()).not.to.have.property('unmet');
      expect((await phone.approve()).json().state).to.equal('approved');
      const { version, key: use } = await browser.ticket();
      expect(use).to.equal('sign');
      const refused = await browser.finish();
      expect([refused.status, refused.json().error]).to.deep.equal([403, 'not_enrolled']);
      const finished = await browser.finish(undefined, { signature: await key.sign(browser.at, version) });
      const arrived = await browser.arriveFrom(`${finished.json().redirectTo}`);
      expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
    },
  );

  inEachStore('cannot approve other browsers: the phone gets the reason, and the RP gets an error', async (world) => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const view = (await phone.look()).json();
    expect(view).to.include({ unmet: 'enrolled' }).and.not.to.have.property('signInAgain');
    const page = await phone.agent.get(phone.at, { headers: { accept: 'text/html', 'accept-language': 'en' } });
    expect(page.text)
      .to.include('This account works only in browsers that you have added')
      .and.not.include('Yes, sign in');
    const refused = await phone.approve();
    expect([refused.status, refused.json().error]).to.deep.equal([403, 'not_enrolled']);
    expect((await phone.decide('unable')).json()).to.include({ state: 'denied', because: 'enrolled' });
    // Before the browser is at the RP, it cannot distinguish this from any other denial.
    expect(await browser.ticket())
      .to.include({ state: 'denied' })
      .and.not.to.have.property('because');
    const arrived = await browser.arrive();
    expect(arrived.searchParams.get('error')).to.equal('access_denied');
  });

  it('does not affect accounts for which the deployment demands no enrolment', () =>
    World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet('bob');
      await phone.scan(await browser.code());
      expect((await phone.look()).json()).not.to.have.property('unmet');
      await phone.approve();
      expect((await browser.arrive()).searchParams.has('code')).to.equal(true);
    }));

  it('has an enrolled browser in its list, which cannot finish after it was forgotten, reported or signed out with all others', () =>
    World.during(OPTIONS, async (world) => {
      const phone = await new PhonePerson(world).signIn();
      const ends: Record<string, () => Promise<unknown>> = {
        forgotten: async () => forget(phone, (await ownBrowsers(phone)).known[0]?.id ?? ''),
        'all signed out': () => signOut(phone, 'all'),
        reported: () => phone.decide('report'),
      };
      for (const [how, end] of Object.entries(ends)) {
        const browser = new BrowserPerson(world);
        await browser.start();
        const key = await enrolAndShowKey(browser);
        expect((await ownBrowsers(phone)).known, how).to.have.length(1);
        expect((await ownBrowsers(phone)).known[0], how).to.include({ enrolled: true, name: 'Chrome' });
        await phone.scan(await browser.code());
        await phone.approve();
        await end();
        expect((await ownBrowsers(phone)).known, how).to.deep.equal([]);
        const { version } = await browser.ticket();
        const finished = await browser.finish(undefined, { signature: await key.sign(browser.at, version) });
        const isDenied = finished.status === 200 && how === 'reported';
        expect(isDenied || finished.status === 403, `${how}: ${finished.status} ${finished.text}`).to.equal(true);
      }
    }));

  it('cannot begin a session in a browser whose enrolment has ended between finish and resume', () =>
    World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet();
      const key = await enrolAndShowKey(browser);
      await phone.scan(await browser.code());
      await phone.approve();
      const { version } = await browser.ticket();
      const finished = await browser.finish(undefined, { signature: await key.sign(browser.at, version) });
      await forget(phone, (await ownBrowsers(phone)).known[0]?.id ?? '');
      const arrived = await browser.arriveFrom(`${finished.json().redirectTo}`);
      expect(arrived.searchParams.get('error')).to.equal('access_denied');
    }));

  it('loses the enrolment by a report after the sign-in', () =>
    World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet();
      const key = await enrolAndShowKey(browser);
      await phone.scan(await browser.code());
      await phone.approve();
      const { version } = await browser.ticket();
      const finished = await browser.finish(undefined, { signature: await key.sign(browser.at, version) });
      await browser.arriveFrom(`${finished.json().redirectTo}`);
      const [{ id = '' } = {}] = (await ownBrowsers(phone)).browsers;
      const { csrf } = await ownBrowsers(phone);
      await phone.agent.post(`${world.issuer}/qr/devices`, { headers: JSON_PLEASE, json: { csrf, report: id } });
      expect((await ownBrowsers(phone)).known).to.deep.equal([]);
    }));

  it('enrols only a browser in which its user has signed in a short time ago', () =>
    World.during({ ...OPTIONS, clock: new StillClock() }, async (world) => {
      const { browser, phone } = await world.meet('bob');
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.arrive();
      // The browser was signed in by QR. The phone's sign-in does not prove that the user is at the browser.
      expect(await enrol(browser.agent, world, await TestBrowserKey.make())).to.include({ status: 403 });
      const { agent } = await new PhonePerson(world).signIn();
      const { csrf, enrol: offer } = await devices(agent, world);
      const wrong = { csrf, ...(await (await TestBrowserKey.make()).enrolment('another challenge')) };
      const url = `${world.issuer}/qr/devices`;
      expect((await agent.post(url, { headers: JSON_PLEASE, json: wrong })).json().error).to.equal('wrong_proof');
      await world.changeSessionOf(agent, { loginTs: Math.floor(Date.now() / 1000) - 16 * 60 });
      const late = { csrf, ...(await (await TestBrowserKey.make()).enrolment(`${offer?.nonce}`)) };
      expect((await agent.post(url, { headers: JSON_PLEASE, json: late })).json().error).to.equal('sign_in_again');
      const again = await devices(agent, world);
      expect(again.enrol).to.have.property('signIn');
      expect(again.known).to.deep.equal([]);
    }));

  it('knows an enrolled browser by its key, so that the browser needs no check code by default', () =>
    World.during({ qrLogin: { ...OPTIONS.qrLogin, assess: assessByDefault } }, async (world) => {
      const { browser, phone } = await world.meet();
      const key = await enrolAndShowKey(browser);
      await phone.scan(await browser.code());
      expect((await phone.approve()).json()).not.to.have.property('checkCode');
      const { version } = await browser.ticket();
      const finished = await browser.finish(undefined, { signature: await key.sign(browser.at, version) });
      expect(finished.status).to.equal(200);
    }));

  it('can use a browser that the deployment has enrolled', () =>
    World.during(OPTIONS, async (world) => {
      const { browser, phone } = await world.meet();
      const key = await TestBrowserKey.make();
      await world.qr.enrol('a11ce', { key: JSON.parse(await key.publicKey()), name: 'Firefox', system: 'Managed' });
      expect((await ownBrowsers(phone)).known[0]).to.include({ name: 'Firefox', system: 'Managed', enrolled: true });
      await showKey(browser, key);
      await phone.scan(await browser.code());
      expect((await phone.approve()).json().state).to.equal('approved');
      const wrong = world.qr.enrol('a11ce', { key: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } });
      expect(await wrong.catch(({ code }) => code)).to.equal('invalid_request');
    }));

  it('gives apps the reason for a refusal, and apps can end the ticket', () =>
    World.during(OPTIONS, async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const app = await new AppPerson(world).signIn();
      expect((await app.scan(await browser.code())).json().requirement).to.deep.equal({ kind: 'enrolled' });
      const refused = await app.approve();
      expect([refused.status, refused.json().error]).to.deep.equal([403, 'not_enrolled']);
      expect((await app.decide('unable')).json()).to.include({ state: 'denied', reason: 'enrolled' });
    }));
});

describe('the key of the browser that shows a code', () => {
  it('must sign the code that is on the screen, together with the interaction of this browser', () =>
    World.during(OPTIONS, async (world) => {
      const [one, other] = [new BrowserPerson(world), new BrowserPerson(world)];
      await Promise.all([one.start(), other.start()]);
      const key = await TestBrowserKey.make();
      const post = (json: Record<string, string>): Promise<Answer> => one.agent.post(`${one.at}/qr/key`, { json });
      const right = await key.announcement(one.at, await one.code());
      for (const [what, fields] of Object.entries({
        'of another interaction': await key.announcement(other.at, await other.code()),
        'of another ticket': await key.announcement(one.at, await other.code()),
        'of another key': { ...right, key: await (await TestBrowserKey.make()).publicKey() },
        'without a signature': { ...right, signature: '' },
      })) {
        const { status, ...answer } = await post(fields);
        expect([status, answer.json().error], what).to.deep.equal([403, 'wrong_proof']);
      }
      expect((await post({ ...right, key: '{}' })).status).to.equal(400);
      expect((await post(right)).status).to.equal(200);
      world.clock.forward(60);
      expect((await post(right)).json().error).to.equal('wrong_proof');
    }));

  it('cannot be sent to the server if no account needs an enrolled browser', () =>
    World.during({}, async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const json = await (await TestBrowserKey.make()).announcement(browser.at, await browser.code());
      expect((await browser.agent.post(`${browser.at}/qr/key`, { json })).status).to.equal(404);
      const { agent } = await new PhonePerson(world).signIn();
      expect(await devices(agent, world)).not.to.have.property('enrol');
      expect(await enrol(agent, world, await TestBrowserKey.make())).to.include({ status: 400 });
    }));
});

interface Devices {
  readonly csrf: string;
  readonly enrol?: { readonly nonce?: string; readonly signIn?: string };
  readonly known: readonly unknown[];
}

async function devices(agent: Agent, { issuer }: World): Promise<Devices> {
  return (await agent.get(`${issuer}/qr/devices`, { headers: JSON_PLEASE })).json() as unknown as Devices;
}

async function enrol(agent: Agent, world: World, key: TestBrowserKey): Promise<Answer> {
  const { csrf, enrol: offer } = await devices(agent, world);
  const json = { csrf, ...(await key.enrolment(offer?.nonce ?? '')) };
  return agent.post(`${world.issuer}/qr/devices`, { headers: JSON_PLEASE, json });
}

async function showKey(browser: BrowserPerson, key: TestBrowserKey): Promise<void> {
  const json = await key.announcement(browser.at, await browser.code());
  const { status, text } = await browser.agent.post(`${browser.at}/qr/key`, { json });
  if (status !== 200) throw new Error(`the key was refused: ${text}`);
}

/** Signs alice in to a browser with her password, enrols the browser, and shows its key for the present code. */
async function enrolAndShowKey(browser: BrowserPerson): Promise<TestBrowserKey> {
  const { world } = browser;
  const key = await TestBrowserKey.make();
  const { agent } = await new PhonePerson(world, {
    'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36',
  }).signIn();
  const { status, text } = await enrol(agent, world, key);
  if (status !== 200) throw new Error(`the browser was not enrolled: ${text}`);
  await showKey(browser, key);
  return key;
}
