import { expect } from 'chai';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { approveTyped, csrfIn, shortCodeOn, shortCodesAllowed, typeIn } from '../../support/typing.ts';
import { PhonePerson, World } from '../../support/world.ts';

const HTML = { accept: 'text/html' };
const FORM = 'name="shortCode"';

describe('the short code', () => {
  let world: World;
  let scanAt: string;

  before(async () => {
    world = await World.start(shortCodesAllowed);
    scanAt = `${world.issuer}/qr/scan`;
  });

  after(() => world?.stop());

  /** Submits the form as a browser without JavaScript does. */
  async function submit(phone: PhonePerson, shortCode: string): Promise<Answer> {
    const page = await phone.agent.get(scanAt, { headers: HTML });
    return phone.agent.post(scanAt, { form: { shortCode, csrf: csrfIn(page) }, headers: HTML });
  }

  it('is shown with the address of the page that accepts it, and spelled out for screen readers', async () => {
    const { browser } = await world.meet();
    const shortCode = await shortCodeOn(browser);
    const { text } = await browser.agent.get(browser.at, { headers: HTML });
    expect(text).to.include(`Cannot scan? Open ${new URL(world.issuer).host}/qr/scan on your phone and type`);
    expect(text).to.include(`aria-hidden="true" data-short-code>${shortCode}<`);
    expect(text).to.include(`data-spelled>${[...shortCode].join(' ')}<`);
  });

  it('signs the browser in after it is typed and approved, and the check code is typed', async () => {
    const { browser, phone } = await world.meet();
    const scanned = world.collectPayloads('qr_login.scanned');
    expect((await typeIn(phone, world, await shortCodeOn(browser))).status).to.equal(200);
    expect((await browser.ticket()).state).to.equal('scanned');
    expect(scanned).to.have.length(1);
    expect(scanned[0]).to.include({ typed: true, accountId: 'a11ce', clientId: 'test-rp' });
    const checkCode = await approveTyped(phone);
    expect(checkCode).to.match(/^\d{6}$/);
    expect(await browser.ticket()).to.include({ state: 'approved', checkCode: true });
    expect((await browser.finish()).json().error).to.equal('check_code_required');
    const { redirectTo } = (await browser.finish(checkCode)).json();
    const arrived = await browser.arriveFrom(`${redirectTo}`);
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });

  it('leads to the confirm page if the form is sent without a script, even in lower case and with spaces', async () => {
    const { browser, phone } = await world.meet();
    const shortCode = await shortCodeOn(browser);
    const answer = await submit(phone, ` ${shortCode.toLowerCase().replace('-', ' ')} `);
    expect(answer.status).to.equal(303);
    const confirm = await phone.agent.get(new URL(answer.location, world.issuer), { headers: HTML });
    expect(confirm.text).to.include('Sign in to Test app?').and.to.include('value="approve"');
  });

  it('stays the same while the QR code rotates, and changes with the ticket', async () => {
    const { browser } = await world.meet();
    const [shortCode, code] = [await shortCodeOn(browser), await browser.code()];
    world.clock.forward(11);
    expect(await browser.code()).not.to.equal(code);
    expect(await shortCodeOn(browser)).to.equal(shortCode);
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    expect(await shortCodeOn(browser)).not.to.equal(shortCode);
  });

  it('causes an error at the field, a 404 and an event if it is not found, and the field keeps the text', async () => {
    const phone = await new PhonePerson(world).signIn();
    const refused = world.nextEvent('qr_login.failed');
    const page = await submit(phone, '"><i>QLMY');
    expect(page.status).to.equal(404);
    expect((await refused)[2]).to.include({ code: 'not_found', accountId: 'a11ce' });
    expect(page.text).to.match(/id="mistake" role="alert">No device shows this backup code now/);
    expect(page.text).to.include('aria-invalid="true"').and.to.include('aria-describedby="how mistake"');
    expect(page.text).to.include('value="&quot;&gt;&lt;i&gt;QLMY"').and.not.to.include('<i>');
    const empty = await phone.agent.post(scanAt, { form: { csrf: csrfIn(page) }, headers: HTML });
    expect(empty.status).to.equal(404);
    expect(empty.text).to.match(/role="alert">No device shows this backup code now/);
    const { browser } = await world.meet();
    const again = { shortCode: await shortCodeOn(browser), csrf: csrfIn(page) };
    expect((await phone.agent.post(scanAt, { form: again, headers: HTML })).status).to.equal(303);
  });

  it('gets the same answer if it is malformed, unknown, taken by another account, expired or cancelled', async () => {
    const expired = await shortCodeOn((await world.meet()).browser);
    world.clock.forward(121);
    const [scanned, renewed, cancelled] = [await world.meet('bob'), await world.meet(), await world.meet()];
    const codes = ['', 'no short code', 'QLMY-2568', expired];
    for (const { browser } of [scanned, renewed, cancelled]) codes.push(await shortCodeOn(browser));
    await scanned.phone.scan(await scanned.browser.code());
    await renewed.browser.agent.post(`${renewed.browser.at}/qr/renew`, { json: {} });
    await cancelled.browser.agent.post(`${cancelled.browser.at}/cancel`, { json: {} });

    const phone = await new PhonePerson(world).signIn();
    const [answers, pages] = [new Set<string>(), new Set<string>()];
    for (const shortCode of codes) {
      answers.add(whole(await typeIn(phone, world, shortCode)));
      pages.add(whole(await submit(phone, shortCode)).replace(/id=\\"short-code\\".*?>/, ''));
    }
    expect([...answers]).to.have.length(1);
    expect([...pages]).to.have.length(1);
    expect([...answers][0])
      .to.include('404')
      .and.to.include('not_found');
  });

  it('can be typed again by the same account if the first answer was lost', async () => {
    const { browser, phone } = await world.meet();
    const shortCode = await shortCodeOn(browser);
    const first = await typeIn(phone, world, shortCode);
    expect((await typeIn(phone, world, shortCode)).json()).to.deep.equal(first.json());
  });

  it('can be typed after a sign-in that leads back to the form', async () => {
    const { browser } = await world.meet();
    const phone = new PhonePerson(world);
    const answer = await phone.agent.get(scanAt, { headers: HTML });
    expect(answer.status).to.equal(303);
    const back = await phone.signInAt(answer.location);
    expect(back.url.href).to.equal(scanAt);
    expect(back.text).to.include(FORM);
    expect((await submit(phone, await shortCodeOn(browser))).status).to.equal(303);
  });

  it('requires a session and the CSRF token of that session', async () => {
    const { browser, phone } = await world.meet();
    const shortCode = await shortCodeOn(browser);
    expect((await typeIn(new PhonePerson(world), world, shortCode)).json().error).to.equal('not_signed_in');
    const bob = await new PhonePerson(world).signIn('bob');
    const csrf = csrfIn(await bob.agent.get(scanAt, { headers: HTML }));
    for (const form of [{ shortCode }, { shortCode, csrf }] as Record<string, string>[]) {
      const refused = await phone.agent.post(scanAt, { form, headers: HTML });
      expect(refused.status).to.equal(403);
      expect(refused.text).to.include('data-error="invalid_csrf"');
    }
    expect((await browser.ticket()).state).to.equal('waiting');
  });

  it('leads to a ticket that offers a stronger sign-in until the phone has signed in again, and that sign-in returns to the URL of the ticket', async () => {
    const acr = 'urn:example:acr:strong';
    const asking = { claims: JSON.stringify({ id_token: { acr: { essential: true, values: [acr] } } }) };
    const features = { devInteractions: { enabled: false }, claimsParameter: { enabled: true } };
    await World.during({ ...shortCodesAllowed, configuration: { features, acrValues: [acr] } }, async (other) => {
      const { browser, phone } = await other.meet('alice', asking);
      await typeIn(phone, other, await shortCodeOn(browser));
      for (const look of ['first', 'second']) {
        const { unmet, signInAgain } = (await phone.look()).json();
        expect(unmet, look).to.equal('acr');
        const returnTo = new URL(`${signInAgain}`).searchParams.get('state');
        expect(returnTo, look).to.equal(new URL(phone.at).pathname);
      }
      await phone.signInAt(String((await phone.look()).json().signInAgain));
      const after = (await phone.look()).json();
      expect(after.unmet).to.equal('acr');
      expect(after).not.to.have.property('signInAgain');
    });
  });

  it('can be typed by the account that the request demands, after another account has typed it', async () => {
    const asking = { claims: JSON.stringify({ id_token: { sub: { value: 'b0b' } } }) };
    const configuration = { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } };
    await World.during({ ...shortCodesAllowed, configuration }, async (other) => {
      const { browser, phone } = await other.meet('alice', asking);
      const shortCode = await shortCodeOn(browser);
      await typeIn(phone, other, shortCode);
      const { unmet, signInAgain } = (await phone.look()).json();
      expect(unmet).to.equal('account');
      expect(new URL(`${signInAgain}`).searchParams.get('state')).to.equal('/qr/scan');
      const bob = await new PhonePerson(other).signIn('bob');
      expect((await typeIn(bob, other, shortCode)).status).to.equal(200);
      expect(await approveTyped(bob)).to.match(/^\d{6}$/);
      expect((await phone.look()).status).to.equal(404);
    });
  });

  it('has error texts in the language of the phone', async () => {
    const phone = await new PhonePerson(world, { 'accept-language': 'zh' }).signIn();
    expect((await submit(phone, 'QLMY-2568')).text).to.include('当前没有设备显示这个备用码');
  });
});

describe('a deployment without short codes', () => {
  it('shows no short code and no form to type one, and accepts none', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      expect(JSON.stringify(await browser.ticket())).not.to.include('shortCode');
      const page = await browser.agent.get(browser.at, { headers: HTML });
      expect(page.text).not.to.include('/qr/scan').and.not.to.include('data-short-code');
      const scan = await phone.agent.get(`${world.issuer}/qr/scan`, { headers: HTML });
      expect(scan.text).not.to.include(FORM);
      const unknown = await phone.land(`${world.issuer}/qr/unknown`);
      const typed = await typeIn(phone, world, 'QLMY-2568');
      expect([typed.status, typed.text]).to.deep.equal([unknown.status, unknown.text]);
    });
  });
});

describe('the short code on two nodes with one Redis', () => {
  storesMayTake(GENEROUS);

  it('can be shown by one node and typed at the other, once', async () => {
    await RedisWorld.during(shortCodesAllowed, async ({ world, redis }) => {
      const second = await RedisWorld.start({ ...shortCodesAllowed, issuer: world.issuer }, redis);
      try {
        const { browser, phone } = await world.meet();
        const shortCode = await shortCodeOn(browser);
        const there = { issuer: second.world.origin };
        expect((await typeIn(phone, there, shortCode)).status).to.equal(200);
        expect((await browser.ticket()).state).to.equal('scanned');
        const bob = await new PhonePerson(world).signIn('bob');
        expect((await typeIn(bob, world, shortCode)).status).to.equal(404);
        expect((await typeIn(bob, there, shortCode)).status).to.equal(404);
        const checkCode = await approveTyped(phone);
        expect((await browser.finish(checkCode)).status).to.equal(200);
      } finally {
        await second.leave();
      }
    });
  });

  it('is not shown while the store does not answer: the renewal gets a 503', async () => {
    await RedisWorld.during(shortCodesAllowed, async (there) => {
      const { browser } = await there.world.meet();
      there.pause();
      const answer = await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
      expect(answer.status).to.equal(503);
      expect(answer.headers.get('retry-after')).to.be.a('string');
    });
  });
});

/** Returns the parts of an answer that do not depend on the time or on the length of the typed text. */
function whole({ status, headers, text }: Answer): string {
  return JSON.stringify([status, [...headers].filter(([name]) => name !== 'date' && name !== 'content-length'), text]);
}
