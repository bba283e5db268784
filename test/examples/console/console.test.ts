import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { AuditLog } from '../../../src/audit/index.ts';
import { getStorePatience, setStorePatience } from '../../../src/stores/deadline.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../../fixtures/test-client.ts';
import { browserAt, phoneOf, scanAndApprove, scanCode, sendDecision } from '../../security/meeting.ts';
import { SHORT } from '../../stores/patience.ts';
import { RedisServer } from '../../support/redis.ts';
import { type RunningServer, serve } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import type { BrowserVisitor, PhoneVisitor, Site } from '../../support/visitors.ts';
import { makeExampleProvider } from '../example-setting.ts';
import { csrfIn, OperatorVisitor } from './operator-visitor.ts';

const HOSTILE = '<img src=x onerror=alert(1)>"\'';

describe('the console of the example, on Redis', () => {
  it('answers 503 while Redis does not answer, and works again afterwards', async () => {
    const redis = await RedisServer.start();
    const store = new Keyv({ store: new KeyvRedis<unknown>(redis.url) });
    store.on('error', () => undefined);
    let issuer = '';
    const example = await serve((origin) => {
      issuer = origin;
      return makeExampleProvider({ issuer, store, clients: [], console: { operators: ['a11ce'] } });
    });
    const patience = getStorePatience();
    try {
      const alice = new OperatorVisitor(issuer);
      expect((await alice.signIn('alice', 'wonderland')).text).to.include('Latest tickets');
      setStorePatience(SHORT);
      redis.pause();
      expect((await alice.open('/')).status).to.equal(503);
      expect((await alice.open('/export')).status).to.equal(503);
      redis.resume();
      setStorePatience(patience);
      await until(async () => (await alice.open('/')).status === 200);
    } finally {
      setStorePatience(patience);
      redis.resume();
      await example.qr.close();
      await example.stop();
      await store.disconnect().catch(() => undefined);
      await redis.stop();
    }
  });
});

describe('the console of the example', () => {
  let folder: string;
  let example: RunningServer & Awaited<ReturnType<typeof makeExampleProvider>>;
  let site: Site;
  let alice: OperatorVisitor;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qr-login-console-'));
    const auditLog = join(folder, 'decisions.jsonl');
    await (await AuditLog.open(auditLog)).close();
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      return makeExampleProvider({
        issuer,
        clients: [testClient(CLIENT_ID, { client_name: HOSTILE })],
        console: { operators: ['a11ce'], auditLog },
        qrLogin: { limits: false, assess: () => 'allow' },
      });
    });
  });

  beforeEach(() => {
    alice = new OperatorVisitor(site.issuer);
  });

  after(async () => {
    await example?.qr.close();
    await example?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const signIn = () => alice.signIn('alice', 'wonderland');

  async function signInBrowser(phone: PhoneVisitor): Promise<BrowserVisitor> {
    const browser = await browserAt(site);
    await scanAndApprove(phone, browser);
    const { redirectTo } = (await browser.finish()).json();
    await browser.agent.follow(new URL(`${redirectTo}`, site.issuer), (next) => next.href.startsWith(RP_CALLBACK));
    return browser;
  }

  async function isSignedIn({ agent }: BrowserVisitor): Promise<boolean> {
    const query = new URLSearchParams({
      client_id: CLIENT_ID,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: RP_CALLBACK,
      prompt: 'none',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const { location } = await agent.get(`${site.issuer}/auth?${query}`);
    return new URL(location).searchParams.get('error') !== 'login_required';
  }

  it('asks for a sign-in with a password, without an offer of the code, and returns to the page', async () => {
    const asked = await alice.open('/blocks');
    expect(asked.url.pathname).to.match(/\/interaction\/[^/]+\/password$/);
    expect(asked.text).not.to.include('Use the QR code instead');
    const page = await alice.signIn('alice', 'wonderland', '/blocks');
    expect(page.url.pathname).to.equal('/console/blocks');
    expect(page.text).to.include('Add a block');
  });

  it('shows an account that is no operator nothing', async () => {
    const bob = new OperatorVisitor(site.issuer);
    const refused = await bob.signIn('bob', 'builder');
    expect(refused.status).to.equal(403);
    expect(refused.text).to.include('is not an operator');
    for (const path of ['/', '/counts', '/account?id=a11ce', '/blocks', '/audit', '/export']) {
      const page = await bob.open(path);
      expect(page.status, path).to.equal(403);
      expect(page.text, path)
        .not.to.include('Latest tickets')
        .and.not.to.include('wonderland')
        .and.not.to.include('{"');
    }
    for (const path of ['/account', '/blocks', '/leave'])
      expect((await bob.submit(path, { csrf: 'any', account: 'a11ce', act: 'sign-out', id: 'all' })).status).to.equal(
        403,
      );
  });

  it('shows a browser that has not signed in nothing', async () => {
    for (const path of ['/', '/counts', '/account?id=a11ce', '/blocks', '/audit', '/export']) {
      const answer = await alice.agent.get(`${site.issuer}/console${path}`);
      expect([answer.status, new URL(answer.location, site.issuer).pathname], path).to.deep.equal([
        303,
        '/console/login',
      ]);
    }
  });

  it('grants no other client the scope, and does not ask a user to consent to it', async () => {
    const query = new URLSearchParams({
      client_id: 'console',
      response_type: 'code',
      scope: 'openid qr_admin',
      redirect_uri: `${site.issuer}/console/callback`,
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      prompt: 'consent',
    });
    const bob = new OperatorVisitor(site.issuer);
    await bob.signIn('bob', 'builder');
    const asked = await bob.agent.follow(`${site.issuer}/auth?${query}`);
    expect(asked.text).not.to.include('qr_admin');
  });

  it('asks again when the session at the provider has ended', async () => {
    await signIn();
    const xsrf =
      /name="xsrf" value="([\w-]+)"/.exec((await alice.agent.get(`${site.issuer}/session/end`)).text)?.[1] ?? '';
    await alice.agent.post(`${site.issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
    expect((await alice.open()).url.pathname).to.match(/\/password$/);
  });

  it('asks again when the proof is no longer fresh', async () => {
    await signIn();
    const cookies = await alice.agent.jar.getCookies(site.issuer);
    const id = `${cookies.find(({ key }) => key === '_session')?.value}`;
    const { adapter } = example.provider.Session;
    const age = async (seconds: number): Promise<void> =>
      adapter.upsert(id, { ...(await adapter.find(id)), loginTs: Math.floor(Date.now() / 1000) - seconds }, 3600);
    await age(590);
    expect((await alice.open()).text).to.include('Latest tickets');
    const csrf = csrfIn(await alice.open('/account?id=a11ce'));
    await age(601);
    const refused = await alice.submit('/account', { csrf, account: 'a11ce', act: 'sign-out', id: 'all' });
    expect(new URL(refused.location, site.issuer).pathname).to.equal('/console/login');
    expect((await example.qr.admin.account('a11ce')).browsers).not.to.deep.equal([]);
    expect((await alice.open()).url.pathname).to.match(/\/password$/);
    expect((await signIn()).text).to.include('Latest tickets');
  });

  it('asks an operator who was signed in by QR to authenticate in this browser', async () => {
    const browser = await signInBrowser(await phoneOf(site));
    const page = await browser.agent.follow(`${site.issuer}/console/`);
    expect(page.url.pathname).to.match(/\/password$/);
  });

  it('counts tickets, names no id, and escapes the names of clients', async () => {
    const page = await signIn();
    expect(page.headers.get('content-security-policy')).to.include("default-src 'none'").and.not.to.include('unsafe');
    const browser = await browserAt(site);
    const id = new URL(await browser.code()).pathname.split('/').at(-1)?.slice(0, 24) ?? '';
    const { text } = await alice.open();
    expect(text).to.include('data-count="waiting"').and.include(CLIENT_ID).and.not.to.include(id);
    expect((await alice.open('/counts')).json().waiting).to.be.greaterThan(0);
    const phone = await phoneOf(site);
    await signInBrowser(phone);
    const account = await alice.open('/account?id=alice');
    expect(account.text).to.include('&lt;img src=x').and.not.to.include('<img');
  });

  it('signs one browser out, and not the others', async () => {
    const phone = await phoneOf(site);
    const [one, other] = [await signInBrowser(phone), await signInBrowser(phone)];
    await signIn();
    const { browsers } = await example.qr.admin.account('a11ce');
    const id = `${browsers.find(({ signedInBy }) => signedInBy === 'qr')?.id}`;
    expect((await alice.open('/account?id=a11ce')).text).to.include(`value="${id}"`);
    const done = await alice.submit('/account?id=a11ce', { account: 'a11ce', act: 'sign-out', id });
    expect(done.status).to.equal(303);
    expect((await alice.agent.follow(new URL(done.location, site.issuer))).text).to.include('The sessions were ended.');
    expect(await Promise.all([one, other].map(isSignedIn))).to.have.members([true, false]);
  });

  it('refuses forms of other sites and of other visits', async () => {
    const browser = await signInBrowser(await phoneOf(site));
    await signIn();
    const fields = { account: 'a11ce', act: 'sign-out', id: 'all' };
    const wrong = [
      await alice.submit('/account?id=a11ce', { ...fields, csrf: 'wrong' }),
      await alice.submit('/account?id=a11ce', fields, {
        origin: 'https://evil.example',
        'sec-fetch-site': 'cross-site',
      }),
    ];
    expect(wrong.map(({ status }) => status)).to.deep.equal([403, 403]);
    const bob = new OperatorVisitor(site.issuer);
    await bob.signIn('bob', 'builder');
    expect(await isSignedIn(browser)).to.equal(true);
  });

  it('adds and lifts blocks, which refuse and allow a sign-in', async () => {
    await signIn();
    const phone = await phoneOf(site, 'bob');
    await browserAt(site);
    const source = `${(await example.qr.admin.activity()).tickets[0]?.browserFrom}`;
    const block = { account: 'bob', kind: 'source', target: source };
    await alice.submit('/blocks', { ...block, act: 'add', hours: '2' });
    expect((await alice.open('/blocks')).text).to.include('added by an operator');
    const refused = await browserAt(site);
    await phone.scan(await refused.code());
    expect((await phone.look()).json().state).to.equal('denied');
    await alice.submit('/blocks', { ...block, act: 'lift' });
    expect((await alice.open('/blocks')).text).to.include('There are none.');
    await scanCode(phone, await browserAt(site));
  });

  it('lifts what a user has reported', async () => {
    const phone = await phoneOf(site);
    await scanCode(phone, await browserAt(site));
    await sendDecision(phone, { decision: 'report' });
    await signIn();
    const { text } = await alice.open('/blocks');
    expect(text).to.include('reported by the user');
    const [, target = ''] = /name="target" value="([^"]+)"/.exec(text) ?? [];
    await alice.submit('/blocks', { act: 'lift', account: 'a11ce', kind: 'source', target });
    await scanCode(phone, await browserAt(site));
  });

  it('refuses a block without an address, and one of an unknown account', async () => {
    await signIn();
    for (const fields of [
      { account: 'alice', target: '' },
      { account: 'nobody', target: '192.0.2.1' },
    ]) {
      const answer = await alice.submit('/blocks', { act: 'add', kind: 'source', ...fields });
      expect(answer.location).to.include('done=wrong');
    }
  });

  it('exports JSON lines', async () => {
    await signIn();
    const answer = await alice.agent.get(`${site.issuer}/console/export`);
    expect(answer.headers.get('content-type')).to.include('application/x-ndjson');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).to.include.members(['counts', 'ticket']);
  });

  it('is left by its button', async () => {
    await signIn();
    await alice.submit('/leave', { csrf: csrfIn(await alice.open()) });
    expect((await alice.agent.get(`${site.issuer}/console/`)).status).to.equal(303);
  });

  it('is no open redirect', async () => {
    await signIn();
    for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example', '/../auth']) {
      const page = await alice.agent.follow(`${site.issuer}/console/login?${new URLSearchParams({ to })}`);
      expect(page.url.href, to).to.equal(`${site.issuer}/console/`);
    }
  });
});
