import { expect } from 'chai';
import { calculateJwkThumbprint } from 'jose';
import { assessByDefault, type QrLoginOptions, qrLogin } from '../../../src/index.ts';
import { KeyvBrowserList } from '../../../src/stores/memory/browser-list.ts';
import { replacing, siteOf } from '../../security/attack.ts';
import {
  approveEnrolment,
  askToEnrol,
  decisionPage,
  enrolledBy,
  requestEnrolment,
  showKey,
} from '../../security/enrolled/asking.ts';
import { approveWith, challengeOnPhone, type PhoneWithPasskey, phoneWithPasskey } from '../../security/guard/people.ts';
import { browserAt, followToRp, phoneOf, scanCode, sendDecision } from '../../security/meeting.ts';
import { networkTo } from '../../support/balancer.ts';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import type { BrowserVisitor, Site } from '../../support/visitors.ts';
import { World, type WorldOptions } from '../../support/world.ts';

/** Alice's account may be used in enrolled browsers only, and her phone enrols them. */
const OPTIONS: WorldOptions = {
  passkeys: true,
  qrLogin: { enrolled: (_client, accountId) => accountId === 'a11ce', enrolByPhone: true, assess: assessByDefault },
};

describe('a browser that asks to be enrolled by the phone', () => {
  let world: World;
  let site: Site;
  let browser: BrowserVisitor;
  let key: TestBrowserKey;
  let alice: PhoneWithPasskey;

  beforeEach(async () => {
    world = await World.start(OPTIONS);
    site = siteOf(world);
    [browser, key, alice] = [await browserAt(site), await TestBrowserKey.make(), await phoneWithPasskey(site)];
  });
  afterEach(() => world?.stop());

  const forget = async (id: string): Promise<void> => {
    const { csrf } = (await alice.phone.look(`${site.issuer}/qr/devices`)).json();
    await alice.phone.post(`${site.issuer}/qr/devices`, { csrf, forget: id });
  };

  it('is enrolled by a passkey and the digits, and is approved from then on', async () => {
    const told = world.collectPayloads('qr_login.enrolled');
    await scanCode(alice.phone, browser);
    expect(await decisionPage(alice.phone)).to.include('Add this browser with your phone');
    const page = await askToEnrol(browser, key);
    const checkCode = await approveEnrolment(alice, page);
    expect((await page.finish()).json().error).to.equal('check_code_required');
    expect(await enrolledBy(alice.phone)).to.deep.equal([]);
    const finished = await page.finish(checkCode);
    expect(new URL(`${finished.json().redirectTo}`, site.issuer).href).to.equal(browser.at);
    expect(await enrolledBy(alice.phone)).to.have.length(1);
    expect(told).to.have.length(1);
    expect(told[0])
      .to.include({ accountId: 'a11ce', by: 'action' })
      .and.to.have.keys('accountId', 'by', 'from', 'browser', 'ticket');

    // The phone had scanned the first code, so the interaction has a new one.
    expect((await showKey(browser, key)).status).to.equal(200);
    await scanCode(alice.phone, browser);
    const approved = await approveWith(alice.phone, alice.passkey.answer(await challengeOnPhone(alice.phone)));
    expect(approved.json()).to.include({ state: 'approved' }).and.not.to.have.property('checkCode');
    const signature = await key.sign(browser.at, (await browser.ticket()).version);
    expect(await followToRp(browser, await browser.finish(undefined, { signature }))).to.equal('a11ce');
  });

  it('is named on the phone with its time and its key, and a warning, in each language', async () => {
    const thumbprint = await calculateJwkThumbprint(JSON.parse(await key.publicKey()));
    for (const [language, words] of Object.entries({
      en: ['Add a browser to your account', 'Browser: Chrome on Windows', 'Warning: you are not signed in there'],
      de: ['Einen Browser zu Ihrem Konto hinzufügen', 'Chrome'],
      ar: ['Chrome'],
      ja: ['Chrome'],
    })) {
      const other = await browserAt(site, { 'accept-language': language });
      const answer = await requestEnrolment(other, key);
      expect(answer.status, `${language}: ${answer.text}`).to.equal(200);
      const page = await askToEnrol(other, key);
      await scanCode(alice.phone, page);
      const shown = await decisionPage(alice.phone);
      for (const word of [...words, thumbprint, 'UTC']) expect(shown, language).to.include(word);
    }
  });

  it('is not enrolled by a tap, nor by another answer than that of a passkey', async () => {
    const page = await askToEnrol(browser, key);
    await scanCode(alice.phone, page);
    for (const proof of ['', '{}', 'yes']) {
      const { status, ...answer } = await sendDecision(alice.phone, { decision: 'approve', ...(proof && { proof }) });
      expect([status, answer.json().error]).to.deep.equal(proof ? [403, 'wrong_proof'] : [400, 'proof_required']);
    }
    expect((await page.finish()).status).to.equal(409);
    expect(await enrolledBy(alice.phone)).to.deep.equal([]);
  });

  it('is not enrolled for an account without a passkey, although that account may approve sign-ins with a tap', async () => {
    const bob = await phoneOf(site, 'bob');
    const page = await askToEnrol(browser, key);
    await scanCode(bob, page);
    expect(await decisionPage(bob))
      .to.include('You need a passkey to approve')
      .and.not.include('Yes, approve');
    const answer = await sendDecision(bob, { decision: 'approve' });
    expect([answer.status, answer.json().error]).to.deep.equal([400, 'proof_required']);
  });

  it('is not enrolled if the account that has scanned declines, or if the browser finishes too late', async () => {
    const page = await askToEnrol(browser, key);
    await scanCode(alice.phone, page);
    await alice.phone.decide('deny');
    expect((await page.ticket()).state).to.equal('denied');
    const late = await askToEnrol(browser, key);
    const checkCode = await approveEnrolment(alice, late);
    world.clock.forward(301);
    expect((await late.finish(checkCode)).status).to.equal(410);
    expect(await enrolledBy(alice.phone)).to.deep.equal([]);
  });

  it('has to prove that it has the key, by a signature over the challenge of its own page', async () => {
    const other = await browserAt(site);
    const { text } = await other.agent.get(other.at, { headers: { accept: 'text/html' } });
    const [, foreign = ''] = /data-ask="([\w-]+)"/.exec(text) ?? [];
    const strange = await TestBrowserKey.make();
    for (const [what, changes, expected] of [
      ['the challenge of another browser', await key.enrolment(foreign), [403, 'wrong_proof']],
      ['another key', { key: await strange.publicKey() }, [403, 'wrong_proof']],
      ['no key', { key: '' }, [400, 'invalid_request']],
      ['a private key', { key: '{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d"}' }, [400, 'invalid_request']],
      ['no signature', { signature: '' }, [403, 'wrong_proof']],
    ] as const) {
      const answer = await requestEnrolment(browser, key, changes);
      expect([answer.status, answer.json().error], what).to.deep.equal(expected);
    }
  });

  it('is enrolled with the key that the account has approved, even if it sends another key later', async () => {
    const page = await askToEnrol(browser, key);
    const checkCode = await approveEnrolment(alice, page);
    const swapped = await TestBrowserKey.make();
    await askToEnrol(browser, swapped);
    const fields = { key: await swapped.publicKey(), enrols: await swapped.publicKey() };
    expect((await page.finish(checkCode, fields)).status).to.equal(200);
    await showKey(browser, swapped);
    await scanCode(alice.phone, browser);
    expect((await alice.phone.look()).json()).to.include({ unmet: 'enrolled' });
    const next = await browserAt(site);
    await showKey(next, key);
    await scanCode(alice.phone, next);
    expect((await alice.phone.look()).json()).not.to.have.property('unmet');
  });

  it('stays forgotten if it repeats its last request, and can ask to be enrolled again', async () => {
    const gone = world.collectPayloads('qr_login.unenrolled');
    const page = await askToEnrol(browser, key);
    const checkCode = await approveEnrolment(alice, page);
    await page.finish(checkCode);
    await page.finish(checkCode);
    const [{ id } = {}] = await enrolledBy(alice.phone);
    await forget(`${id}`);
    expect(gone).to.have.length(1);
    expect(gone[0]).to.deep.include({ accountId: 'a11ce', by: 'action' });
    expect((await page.finish(checkCode)).status).to.equal(200);
    expect(await enrolledBy(alice.phone)).to.deep.equal([]);
    const again = await askToEnrol(browser, key);
    await again.finish(await approveEnrolment(alice, again));
    expect(await enrolledBy(alice.phone)).to.have.length(1);
  });

  it('is not enrolled again, not even for a moment, if it repeats its last request after it was forgotten or reported', async () => {
    for (const end of ['forget', 'report']) {
      const page = await askToEnrol(browser, key);
      const checkCode = await approveEnrolment(alice, page);
      await page.finish(checkCode);
      const [{ id } = {}] = await enrolledBy(alice.phone);
      if (end === 'forget') await forget(`${id}`);
      else await sendDecision(alice.phone, { decision: 'report' });
      let written = 0;
      const restore = replacing(KeyvBrowserList.prototype, 'put', () => async () => {
        written += 1;
        return [];
      })();
      try {
        expect((await page.finish(checkCode)).status, end).to.equal(200);
      } finally {
        restore();
      }
      expect(written, end).to.equal(0);
    }
  });

  it('is enrolled although another account has forgotten the same browser meanwhile', async () => {
    const page = await askToEnrol(browser, key);
    const checkCode = await approveEnrolment(alice, page);
    await world.qr.enrol('b0b', { key: JSON.parse(await key.publicKey()) });
    const bob = await phoneOf(site, 'bob');
    const { csrf } = (await bob.look(`${site.issuer}/qr/devices`)).json();
    await bob.post(`${site.issuer}/qr/devices`, { csrf, forget: await key.enrolmentId() });
    expect(await enrolledBy(bob)).to.deep.equal([]);
    await page.finish(checkCode);
    expect(await enrolledBy(alice.phone)).to.have.length(1);
  });

  it('loses the enrolment by a report, and does not get it back by repeating its last request', async () => {
    const page = await askToEnrol(browser, key);
    await page.finish(await approveEnrolment(alice, page));
    expect(await enrolledBy(alice.phone)).to.have.length(1);
    await sendDecision(alice.phone, { decision: 'report' });
    expect(await enrolledBy(alice.phone)).to.deep.equal([]);
    await page.finish();
    expect(await enrolledBy(alice.phone)).to.deep.equal([]);
  });
});

describe('enrolment by the phone', () => {
  it('can be asked for from a place with a very long name, because the phone is shown only its beginning', () =>
    World.during(
      {
        ...OPTIONS,
        qrLogin: { ...OPTIONS.qrLogin, locate: () => ({ city: 'Llanfair'.repeat(20), country: 'GS' }) },
        extend: ({ provider }) => {
          provider.proxy = true;
        },
      },
      async (world) => {
        const site = siteOf(world);
        const headers = { 'x-forwarded-for': '203.0.113.1' };
        for (const language of ['en', 'de', 'es', 'fr', 'ar', 'ja']) {
          const browser = await browserAt(site, { ...headers, 'accept-language': language });
          const answer = await requestEnrolment(browser, await TestBrowserKey.make());
          expect([answer.status, answer.json().error], language).to.deep.equal([200, undefined]);
        }
      },
    ));

  it('is not offered where the option is off', () =>
    World.during({ ...OPTIONS, qrLogin: { ...OPTIONS.qrLogin, enrolByPhone: false } }, async (world) => {
      const browser = await browserAt(siteOf(world));
      const { status } = await requestEnrolment(browser, await TestBrowserKey.make());
      expect(status).to.equal(404);
    }));

  it('needs the options "enrolled" and "guard"', () => {
    const options: QrLoginOptions = { findAccount: () => undefined, signIn: () => '/', enrolByPhone: true };
    expect(() => qrLogin(options)).to.throw(TypeError, 'enrolByPhone needs the option "enrolled"');
    expect(() => qrLogin({ ...options, enrolled: () => true })).to.throw(TypeError, 'enrolByPhone needs');
  });

  for (const [what, text] of Object.entries({
    'that the enrolment is confirmed': '"state":"redeemed"',
    'the record of the browser': '"enrolledBy":"action"',
  })) {
    it(`can be repeated if Redis stops just before it writes ${what}, and enrols the browser once`, () =>
      RedisWorld.during(OPTIONS, async (there) => {
        const site = siteOf(there.world);
        const told = there.world.collectPayloads('qr_login.enrolled');
        const [browser, key, alice] = [
          await browserAt(site),
          await TestBrowserKey.make(),
          await phoneWithPasskey(site),
        ];
        const page = await askToEnrol(browser, key);
        const checkCode = await approveEnrolment(alice, page);
        there.pauseAt(({ arguments: values }) => values.some((value) => value.includes(text)));
        expect((await page.finish(checkCode)).status).to.equal(503);
        await there.resume();
        expect((await page.finish(checkCode)).status).to.equal(200);
        expect(await enrolledBy(alice.phone)).to.have.length(1);
        expect(told.length).to.be.at.most(1);
      }));
  }

  it('works over two nodes: asked for at one, approved at the other, used at the first', () =>
    RedisWorld.during(OPTIONS, async ({ redis, world }) => {
      const other = await RedisWorld.start({ ...OPTIONS, issuer: world.issuer }, redis);
      try {
        const site = siteOf(world);
        const [browser, key, alice] = [
          await browserAt(site),
          await TestBrowserKey.make(),
          await phoneWithPasskey(site),
        ];
        const elsewhere = networkTo(other.world, world.issuer);
        const page = await askToEnrol(browser, key);
        alice.phone.network = elsewhere;
        const checkCode = await approveEnrolment(alice, page);
        expect((await page.finish(checkCode)).status).to.equal(200);
        expect(await enrolledBy(alice.phone)).to.have.length(1);
        await showKey(browser, key);
        await scanCode(alice.phone, browser);
        expect((await alice.phone.look()).json()).not.to.have.property('unmet');
      } finally {
        await other.leave();
      }
    }));
});
