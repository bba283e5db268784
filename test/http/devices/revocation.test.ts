import type { EventEmitter } from 'node:events';
import { expect } from 'chai';
import * as client from 'openid-client';
import type { Answer } from '../../support/agent.ts';
import { LogoutInbox, REACHES_THIS_MACHINE } from '../../support/logout-inbox.ts';
import { errorOf } from '../../support/relying-party.ts';
import { until } from '../../support/until.ts';
import { BrowserPerson, type PhonePerson, testClient, World } from '../../support/world.ts';

const JSON_ONLY = { headers: { accept: 'application/json' } };

/** Moves the clock past the two minutes for which the ticket of a finished sign-in is kept. The session continues. */
function forgetTickets(world: World): void {
  world.clock.forward(121);
}

interface Step {
  readonly name: string;
  /** Brings the browser to the step at which the user revokes the sign-in. */
  readonly goOn: (browser: BrowserPerson, redirectTo: string) => Promise<unknown>;
}

const STEPS: readonly Step[] = [
  { name: 'has finished and not resumed yet', goOn: async () => undefined },
  { name: 'is signed in', goOn: (browser, redirectTo) => browser.arriveFrom(redirectTo) },
];

describe('a finished sign-in', () => {
  let world: World;
  let events: string[];

  beforeEach(async () => {
    world = await World.start();
    events = [];
    const { provider }: { provider: EventEmitter } = world;
    for (const name of ['qr_login.reported', 'qr_login.signed_out']) provider.on(name, () => events.push(name));
  });

  afterEach(() => world?.stop());

  /** Signs a browser in, up to the answer to its finish request. */
  async function finishSignIn(): Promise<{ browser: BrowserPerson; phone: PhonePerson; redirectTo: string }> {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    const { redirectTo } = (await browser.finish()).json();
    return { browser, phone, redirectTo: String(redirectTo) };
  }

  /** Loads the app again. @returns the answer that the browser gets without a question to the user */
  async function requestSilently(browser: BrowserPerson): Promise<URL> {
    return new URL((await browser.start({ prompt: 'none' })).location);
  }

  async function expectSignedOut(browser: BrowserPerson, redirectTo: string): Promise<void> {
    const resumed = await browser.goOn(redirectTo);
    const arrived = new URL(resumed.location || 'about:blank');
    expect(arrived.searchParams.get('code'), 'the code of a sign-in').to.equal(null);
    expect((await requestSilently(browser)).searchParams.get('error')).to.equal('login_required');
  }

  const report = (phone: PhonePerson): Promise<Answer> => phone.decide('report');
  const devices = async (phone: PhonePerson, fields: Record<string, string>): Promise<Answer> => {
    const url = `${world.issuer}/qr/devices`;
    const { csrf } = (await phone.agent.get(url, JSON_ONLY)).json();
    return phone.agent.post(url, { json: { csrf: String(csrf), ...fields }, ...JSON_ONLY });
  };

  for (const { name, goOn } of STEPS) {
    describe(`whose browser ${name}`, () => {
      it('is revoked by a report on the done page', async () => {
        const { browser, phone, redirectTo } = await finishSignIn();
        await goOn(browser, redirectTo);
        const answer = await report(phone);
        expect(answer.status, answer.text).to.equal(200);
        expect(answer.json()).to.include({ state: 'denied', because: 'report' });
        await expectSignedOut(browser, redirectTo);
        expect(events.filter((event) => event === 'qr_login.reported')).to.have.length(1);
      });

      it('is revoked by a report after its ticket is gone', async () => {
        const { browser, phone, redirectTo } = await finishSignIn();
        await goOn(browser, redirectTo);
        forgetTickets(world);
        const answer = await report(phone);
        expect(answer.status, answer.text).to.equal(200);
        await expectSignedOut(browser, redirectTo);
        expect(events).to.include('qr_login.reported');
      });

      it('stays revoked if the report is repeated', async () => {
        const { browser, phone, redirectTo } = await finishSignIn();
        await goOn(browser, redirectTo);
        expect([(await report(phone)).status, (await report(phone)).status]).to.deep.equal([200, 200]);
        await expectSignedOut(browser, redirectTo);
      });

      it('is revoked by signing out all browsers', async () => {
        const { browser, phone, redirectTo } = await finishSignIn();
        await goOn(browser, redirectTo);
        expect((await devices(phone, { end: 'all' })).status).to.equal(200);
        await expectSignedOut(browser, redirectTo);
      });

      it('is not revoked by another account that knows its ticket', async () => {
        const { browser, phone, redirectTo } = await finishSignIn();
        await goOn(browser, redirectTo);
        const { phone: other } = await world.meet('bob');
        await other.scan(await (await startBrowser(world)).code());
        const mine = other.at;
        other.at = phone.at;
        expect((await report(other)).status).to.be.oneOf([403, 404]);
        other.at = mine;
        forgetTickets(world);
        other.at = phone.at;
        expect((await report(other)).status).to.be.oneOf([403, 404]);
        const arrived = name === 'is signed in' ? await requestSilently(browser) : await browser.arriveFrom(redirectTo);
        expect(arrived.searchParams.get('code')).to.be.a('string');
      });
    });
  }

  it('is revoked by signing out all browsers while the browser finishes', async () => {
    const waiting: (() => void)[] = [];
    let isSlow = false;
    const findAccount = async (id: string) => {
      if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
      return { name: id };
    };
    await World.during({ qrLogin: { findAccount } }, async (other) => {
      const { browser, phone } = await other.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      isSlow = true;
      const finish = browser.finish();
      await until(() => waiting.length === 1);
      isSlow = false;
      const url = `${other.issuer}/qr/devices`;
      const { csrf } = (await phone.agent.get(url, JSON_ONLY)).json();
      const signedOut = await phone.agent.post(url, { json: { csrf: String(csrf), end: 'all' }, ...JSON_ONLY });
      expect(signedOut.status).to.equal(200);
      // The browser redeems the ticket after that.
      other.clock.forward(1);
      waiting[0]?.();
      const arrived = await browser.arriveFrom(String((await finish).json().redirectTo));
      expect(arrived.searchParams.get('error')).to.equal('access_denied');
    });
  });

  it('blocks its network address for the account that reports it, even after its ticket is gone', async () => {
    const { browser, phone, redirectTo } = await finishSignIn();
    await browser.arriveFrom(redirectTo);
    forgetTickets(world);
    await report(phone);
    const next = await startBrowser(world);
    const scanned = await phone.scan(await next.code());
    expect(scanned.status).to.equal(200);
    expect((await phone.look()).json()).to.include({ state: 'denied', because: 'blocked' });
  });

  it('is revoked by "I did not start this" in the list of browsers', async () => {
    const { browser, phone, redirectTo } = await finishSignIn();
    await browser.arriveFrom(redirectTo);
    const page = await phone.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'text/html' } });
    const [, id = ''] = /name="report" value="([^"]+)"/.exec(page.text) ?? [];
    const answer = await devices(phone, { report: id });
    expect(answer.json()).to.deep.equal({ ended: 1, unreached: 0 });
    await expectSignedOut(browser, redirectTo);
    expect(events).to.deep.equal(['qr_login.signed_out', 'qr_login.reported']);
  });

  it('can be reported on the done page for as long as that page exists', async () => {
    const { phone } = await finishSignIn();
    const page = await phone.agent.get(phone.at, { headers: { accept: 'text/html' } });
    expect(page.text).to.include('name="decision" value="report"');
    const reported = await phone.agent.post(phone.at, {
      form: { csrf: phone.csrf, decision: 'report' },
      headers: { accept: 'text/html' },
    });
    expect(reported.status).to.equal(200);
    expect(reported.text).to.include('That browser is signed out again');
  });

  it('loses its refresh tokens by a report, and the RP gets a logout token', async () => {
    const inbox = await LogoutInbox.open();
    try {
      const rp = testClient('rp', { ...inbox.metadata, grant_types: ['authorization_code', 'refresh_token'] });
      await World.during({ clients: [rp], configuration: REACHES_THIS_MACHINE }, async (other) => {
        const { browser, phone } = await other.meet();
        browser.clientId = 'rp';
        await browser.start({ scope: 'openid offline_access', prompt: 'consent' });
        await phone.scan(await browser.code());
        await phone.approve();
        const { refresh_token: token = '' } = await browser.tokens(await browser.arrive());
        await refresh(other, token);
        await report(phone);
        await until(() => inbox.received.length > 0);
        expect(await errorOf(refresh(other, token))).to.equal('invalid_grant');
      });
    } finally {
      await inbox.close();
    }
  });
});

async function refresh(world: World, token: string): Promise<unknown> {
  return client.refreshTokenGrant(await world.configuration('rp'), token);
}

async function startBrowser(world: World): Promise<BrowserPerson> {
  const browser = new BrowserPerson(world);
  await browser.start();
  return browser;
}
