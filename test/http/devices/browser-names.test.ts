import { expect } from 'chai';
import type { SignedInBrowser } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { type OwnBrowsers, ownBrowsers, signInBy, signOut } from '../../support/own-browsers.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { listKey } from '../../support/stored-key.ts';
import { until } from '../../support/until.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const JSON_PLEASE = { accept: 'application/json' };

interface NamingForm {
  readonly url: string;
  readonly csrf: string;
  readonly ticket: string;
}

/** Sends the form of the page that the phone shows after the sign-in. */
async function nameByTicket(phone: PhonePerson, name: string): Promise<Answer> {
  const { csrf, ticket, url } = (await phone.look()).json().naming as NamingForm;
  return phone.agent.post(new URL(url, phone.at), { headers: JSON_PLEASE, json: { csrf, ticket, name } });
}

/** Sends a form of the list of browsers. */
async function rename(phone: PhonePerson, fields: Record<string, string>): Promise<Answer> {
  const json = { csrf: (await ownBrowsers(phone)).csrf, ...fields };
  return phone.agent.post(`${phone.world.issuer}/qr/devices`, { headers: JSON_PLEASE, json });
}

const labels = ({ browsers, known }: OwnBrowsers): unknown =>
  [browsers, known].map((list) => list.map((browser) => 'label' in browser && browser.label));

describe('the name of a browser', () => {
  let world: World;
  let phone: PhonePerson;
  let browser: BrowserPerson;

  beforeEach(async () => {
    world = await World.start();
    browser = new BrowserPerson(world);
    [phone] = await Promise.all([new PhonePerson(world).signIn(), browser.start()]);
  });

  afterEach(() => world?.stop());

  it('can be given on the page after the sign-in, and is on the lists of pages and apps', async () => {
    await signInBy(phone, browser, { remember: 'yes' });
    expect((await nameByTicket(phone, ' Living  room ')).status).to.equal(200);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([['Living room'], ['Living room']]);
    const app = await new AppPerson(world).signIn();
    const { browsers } = (await app.request('GET', '/qr/api/browsers')).json() as { browsers: { label?: string }[] };
    expect(browsers.flatMap(({ label }) => label ?? [])).to.deep.equal(['Living room']);
    const { text } = await phone.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'text/html' } });
    expect(text).to.match(/<h2[^>]*><bdi>Living room<\/bdi> <small>Chrome on Windows/);
  });

  it('can be given before the browser has begun its session', async () => {
    await phone.scan(await browser.code());
    await phone.approve({ remember: 'yes' });
    const { redirectTo } = (await browser.finish()).json();
    expect((await nameByTicket(phone, 'Office')).status).to.equal(200);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([[], []]);
    await browser.arriveFrom(`${redirectTo}`);
    const named = async (): Promise<boolean> => `${labels(await ownBrowsers(phone))}` === 'Office,Office';
    await until(named);
  });

  it('stays with a trusted browser after its next sign-in, until the user removes the name', async () => {
    await signInBy(phone, browser, { remember: 'yes' });
    await nameByTicket(phone, 'Office');
    // The session is lost. The cookie by which the account recognizes the browser stays.
    await browser.agent.jar.setCookie('_session=; Max-Age=0; Path=/', world.issuer);
    await browser.start();
    await signInBy(phone, browser);
    await until(async () => `${labels(await ownBrowsers(phone))}` === 'Office,Office,Office');
    const [listed] = (await ownBrowsers(phone)).browsers;
    expect((await rename(phone, { browser: `${listed?.id}`, name: ' ' })).status).to.equal(200);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([[false, 'Office'], [false]]);
  });

  it('stays with an untrusted browser if it signs in by QR again while its session lives', async () => {
    await signInBy(phone, browser);
    await nameByTicket(phone, 'Office');
    world.clock.forward(5);
    await browser.start({ prompt: 'login' });
    await phone.scan(await browser.code());
    await phone.signInAt(String((await phone.look()).json().signInAgain));
    await phone.approve();
    await browser.arrive();
    expect(labels(await ownBrowsers(phone))).to.deep.equal([['Office'], []]);
  });

  it('can be changed on the list, in the entry of the session and in the entry of the trusted browser', async () => {
    await signInBy(phone, browser, { remember: 'yes' });
    const { browsers, known } = await ownBrowsers(phone);
    await rename(phone, { browser: `${browsers[0]?.id}`, name: 'One' });
    expect(labels(await ownBrowsers(phone))).to.deep.equal([['One'], ['One']]);
    await rename(phone, { browser: `${known[0]?.id}`, name: 'Two' });
    expect(labels(await ownBrowsers(phone))).to.deep.equal([['Two'], ['Two']]);
  });

  it('can be given without a script, and the form leads to the list', async () => {
    await signInBy(phone, browser);
    const page = await phone.agent.get(phone.at, { headers: { accept: 'text/html' } });
    const [, form = ''] = /<form class="name-browser"([\s\S]*?)<\/form>/.exec(page.text) ?? [];
    const hidden = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    const fields = { ...Object.fromEntries(hidden), name: 'Office' };
    const headers = { accept: 'text/html' };
    const { status, location } = await phone.agent.post(`${world.issuer}/qr/devices`, { headers, form: fields });
    expect([status, location]).to.deep.equal([303, '/qr/devices']);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([['Office'], []]);
  });

  it('cannot be given by another account, another session or a form of another page', async () => {
    await signInBy(phone, browser);
    const { csrf, ticket } = (await phone.look()).json().naming as NamingForm;
    const [{ id = '' } = {}] = (await ownBrowsers(phone)).browsers;
    const bob = await new PhonePerson(world).signIn('bob');
    expect((await rename(bob, { browser: id, name: 'Mine' })).status).to.equal(404);
    expect((await rename(bob, { ticket, name: 'Mine' })).status).to.equal(404);
    const second = await new PhonePerson(world).signIn();
    expect((await rename(second, { csrf, ticket, name: 'Mine' })).json().error).to.equal('invalid_csrf');
    expect((await rename(phone, { csrf: phone.csrf, ticket, name: 'Mine' })).json().error).to.equal('invalid_csrf');
    expect((await rename(phone, { browser: 'unknown', name: 'Mine' })).status).to.equal(404);
    expect((await rename(phone, { name: 'Mine' })).status).to.equal(404);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([[false, false], []]);
  });

  it('cannot be given to a browser that was signed out or reported, and the page does not ask for one', async () => {
    await signInBy(phone, browser, { remember: 'yes' });
    const { csrf, ticket } = (await phone.look()).json().naming as NamingForm;
    await phone.decide('report');
    expect((await phone.look()).json()).not.to.have.property('naming');
    const json = { csrf, ticket, name: 'Office' };
    const answer = await phone.agent.post(`${world.issuer}/qr/devices`, { headers: JSON_PLEASE, json });
    expect(answer.status).to.equal(404);
    await signOut(phone, 'all');
    expect(labels(await ownBrowsers(phone))).to.deep.equal([[], []]);
  });

  it('is shown as text: markup is escaped, and invisible and direction-changing characters are removed', async () => {
    await signInBy(phone, browser);
    const shown = async (name: string): Promise<string> => {
      expect((await nameByTicket(phone, name)).status, name).to.equal(200);
      const { text } = await phone.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'text/html' } });
      return /<h2[^>]*><bdi>(.*?)<\/bdi>/.exec(text)?.[1] ?? '';
    };
    expect(await shown('"><img src=x onerror=alert(1)>')).to.equal('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;');
    expect(await shown('\u202Etxt.exe\u2066 Office\u200B')).to.equal('txt.exe Office');
    expect(await shown('e\u0301t\u00E9 \u{1F468}\u200D\u{1F469}\u200D\u{1F467}')).to.equal('été 👨‍👩‍👧');
    expect(await shown('ا'.repeat(40))).to.equal('ا'.repeat(40));
  });

  it('is refused if it is too long or has control characters', async () => {
    await signInBy(phone, browser);
    for (const name of ['a'.repeat(41), 'one\ntwo', 'one\u0000two', '\u0085', 'a'.repeat(3000)]) {
      const answer = await nameByTicket(phone, name);
      expect(answer.status, JSON.stringify(name)).to.equal(400);
      expect(answer.json().error).to.equal('invalid_request');
    }
    expect((await nameByTicket(phone, 'a'.repeat(9000))).status).to.equal(413);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([[false], []]);
  });

  it('is missing in records of earlier versions, which can still be read, and their browsers can be named', async () => {
    await signInBy(phone, browser);
    const key = listKey(world, 'browsers', 'a11ce');
    const listed = (await world.store.get<SignedInBrowser[]>(key)) ?? [];
    const { label: _, ...earlier } = listed.find(({ signIn }) => signIn !== undefined) ?? ({} as SignedInBrowser);
    await world.store.set(key, [earlier]);
    expect(labels(await ownBrowsers(phone))).to.deep.equal([[false], []]);
    expect((await rename(phone, { browser: earlier.id, name: 'Office' })).status).to.equal(200);
    expect(await world.store.get(key)).to.deep.equal([{ ...earlier, label: 'Office' }]);
  });

  it("counts against the account's limit of decisions", async () => {
    await World.during({ qrLogin: { limits: { account: { decide: 4 } } } }, async (own) => {
      const { browser: screen, phone: hand } = await own.meet();
      await signInBy(hand, screen);
      const statuses: number[] = [];
      for (let tries = 0; tries < 4; tries++) statuses.push((await rename(hand, { name: 'x' })).status);
      expect(statuses.at(-1)).to.equal(429);
    });
  });
});

describe('the name that a browser got at one node', () => {
  it('is on the list of another node', async () => {
    await RedisWorld.during({}, async (one) => {
      const two = await RedisWorld.start({ issuer: one.world.issuer }, one.redis);
      try {
        const { browser, phone } = await one.world.meet();
        await signInBy(phone, browser, { remember: 'yes' });
        await nameByTicket(phone, 'Office');
        expect(labels(await ownBrowsers(phone, two.world.origin))).to.deep.equal([['Office'], ['Office']]);
      } finally {
        await two.leave();
      }
    });
  });
});
