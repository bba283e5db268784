import { expect } from 'chai';
import { Agent, type Answer } from '../../support/agent.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

/** The requests that only the browser that shows the code may make. */
const ACTS = [
  ['GET', ''],
  ['GET', '/qr'],
  ['GET', '/qr?after=1'],
  ['GET', '/qr/events'],
  ['POST', '/qr/renew'],
  ['POST', '/qr/finish'],
  ['POST', '/cancel'],
  ['POST', '/consent'],
] as const;

describe('the ticket of a browser', () => {
  let world: World;
  let browser: BrowserPerson;
  let phone: PhonePerson;

  before(async () => {
    world = await World.start();
  });

  beforeEach(async () => {
    ({ browser, phone } = await world.meet());
    await phone.scan(await browser.code());
    await phone.approve();
  });

  after(() => world?.stop());

  /** Expects that this agent can do nothing with the ticket, and that its browser still can. */
  const expectForeign = async (agent: Agent, headers: Record<string, string> = {}): Promise<void> => {
    for (const [method, path] of ACTS) {
      const json = method === 'POST' ? { json: { id: phone.at.split('/').at(-1) } } : {};
      const answer = await agent.send(browser.at + path, { method, headers, ...json });
      expect(answer.status, `${method} ${path}`).to.equal(404);
      expect(answer.headers.get('set-cookie') ?? '', `${method} ${path}`).not.to.include('_qr_');
    }
    expect((await browser.ticket()).state).to.equal('approved');
    const arrived = await browser.arrive();
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  };
  const cookiesOf = async (agent: Agent, at: string, names?: RegExp): Promise<string> => {
    const cookies = await agent.jar.getCookies(at);
    return cookies
      .filter(({ key }) => names === undefined || names.test(key))
      .map(({ key, value }) => `${key}=${value}`)
      .join('; ');
  };

  it('is not found for a browser that knows the ids of the interaction and the ticket, but has no cookies', async () => {
    await expectForeign(new BrowserPerson(world).agent);
  });

  it('is not found for a browser with its own interaction', async () => {
    const other = new BrowserPerson(world);
    await other.start();
    await expectForeign(other.agent, { cookie: await cookiesOf(other.agent, other.at) });
  });

  it('is not found for the phone that approved it', async () => {
    await expectForeign(phone.agent, { cookie: await cookiesOf(phone.agent, world.issuer) });
  });

  it('is not found without the binding cookie', async () => {
    await expectForeign(new Agent(), { cookie: await cookiesOf(browser.agent, browser.at, /^_interaction/) });
  });

  it('is not found without the interaction cookie', async () => {
    await expectForeign(new Agent(), { cookie: await cookiesOf(browser.agent, browser.at, /^_qr_/) });
  });

  it('is not found with cookies that have no signature or a forged one', async () => {
    const unsigned = await cookiesOf(browser.agent, browser.at, /^(_interaction|_qr_browser)$/);
    await expectForeign(new Agent(), { cookie: unsigned });
    const forged = `_interaction=${browser.uid}; _interaction.sig=${'A'.repeat(27)}; _qr_browser=${'A'.repeat(22)}; _qr_browser.sig=${'A'.repeat(27)}`;
    const answer = await new Agent().get(`${browser.at}/qr`, { headers: { cookie: forged } });
    expect(answer.status).to.equal(404);
  });

  it('is not found with the interaction cookie and the binding cookie of another browser', async () => {
    const other = new BrowserPerson(world);
    await other.start();
    const cookie = `${await cookiesOf(browser.agent, browser.at, /^_interaction/)}; ${await cookiesOf(other.agent, other.at, /^_qr_browser/)}`;
    for (const [method, path] of ACTS) {
      if (path === '/consent') continue;
      const answer = await new Agent().send(browser.at + path, { method, headers: { cookie } });
      expect(answer.status, `${method} ${path}`).to.equal(404);
    }
    expect((await browser.ticket()).state).to.equal('approved');
  });
});

describe('the ticket of a phone', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start();
  });

  afterEach(() => world?.stop());

  it('is not found for another account, and another phone of the same account is told that it was scanned elsewhere', async () => {
    const { browser, phone } = await world.meet('alice');
    const code = await browser.code();
    const others = [await new PhonePerson(world).signIn('bob'), await new PhonePerson(world).signIn('alice')];
    // Their CSRF tokens are valid, because they opened the code while it was fresh.
    const tokens = await Promise.all(others.map(async (other) => String((await other.land(code)).json().csrf)));
    await phone.scan(code);
    for (const [index, other] of others.entries()) {
      const unknown = await other.agent.get(`${world.issuer}/qr/tickets/${'A'.repeat(22)}`, accept);
      expect(unknown.status).to.equal(404);
      const csrf = tokens[index] ?? '';
      const tries = [
        await other.agent.get(phone.at, accept),
        await other.agent.post(phone.at, { ...accept, json: { csrf, decision: 'approve' } }),
        await other.agent.post(phone.at, { ...accept, json: { csrf, decision: 'deny' } }),
        await other.agent.post(code, { ...accept, json: { csrf } }),
      ];
      for (const answer of tries) {
        if (index === 0) expect(essence(answer)).to.deep.equal(essence(unknown));
        else expect(answer.json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
      }
    }
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('is not available to a phone that has signed out', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.signOut();
    expect((await phone.look()).status).to.equal(401);
    const answer = await phone.approve();
    expect(answer.status).to.equal(401);
    expect(answer.json().error).to.equal('not_signed_in');
    // Signing in again starts another session.
    await phone.signIn();
    expect((await phone.look()).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('cannot be decided by an account that no longer exists', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    world.accounts.remove('a11ce');
    for (const answer of [await phone.approve(), await phone.deny(), await phone.look(), await phone.land(code)]) {
      expect(answer.status).to.equal(403);
      expect(answer.json().error).to.equal('account_unavailable');
    }
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('tells the browser whether the account is gone or the phone has signed out', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    await phone.signOut();
    expect((await browser.finish()).json()).to.include({ error: 'account_unavailable', reason: 'signed-out' });
    const form = { form: {}, headers: { accept: 'text/html' } };
    const page = await browser.agent.post(`${browser.at}/qr/finish`, form);
    expect(page.text).to.include('The phone that approved has signed out since');
    world.accounts.remove('a11ce');
    expect((await browser.finish()).json()).not.to.have.property('reason');
  });

  it('does not sign in an account that was removed after it approved', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    world.accounts.remove('a11ce');
    const finished = world.count('qr_login.finished');
    for (let tries = 0; tries < 2; tries++) {
      const answer = await browser.finish();
      expect(answer.status).to.equal(403);
      expect(answer.json().error).to.equal('account_unavailable');
    }
    expect(finished()).to.equal(0);
    // The browser can still sign in with another account.
    const renewed = await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    expect(renewed.status).to.equal(200);
    const bob = await new PhonePerson(world).signIn('bob');
    await bob.scan(await browser.code());
    await bob.approve();
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('b0b');
  });

  it('is refused for a phone that is not signed in', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    const stranger = new PhonePerson(world);
    expect((await stranger.agent.get(phone.at, accept)).status).to.equal(401);
    const json = { csrf: phone.csrf, decision: 'approve' };
    expect((await stranger.agent.post(phone.at, { ...accept, json })).status).to.equal(401);
    expect((await stranger.agent.post(code, { ...accept, json })).status).to.equal(401);
  });
});

const accept = { headers: { accept: 'application/json' } };

/** Returns the parts of an answer that do not depend on the time. */
function essence({ status, text, headers }: Answer): unknown {
  // Every answer to a decision has the header `qr-login-state`, by which a script recognizes the plugin.
  const general = ['date', 'qr-login-state'];
  return { status, text, headers: [...headers].filter(([name]) => !general.includes(name)) };
}
