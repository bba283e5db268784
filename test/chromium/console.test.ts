import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { AuditLog } from '../../src/audit/index.ts';
import type { DecisionRecord } from '../../src/index.ts';
import { chooseEngine } from '../../src/stores/choose-engine.ts';
import { engineForIssuer } from '../../src/stores/issuer/issuer-engine.ts';
import { browserId } from '../../src/ticket/browsers/signed-in-browser.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import { makeExampleProvider } from '../examples/example-setting.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { browserAt } from '../security/meeting.ts';
import { AppPerson } from '../support/app.ts';
import { type RunningServer, serve } from '../support/server.ts';
import type { Site } from '../support/visitors.ts';
import { BrowserPerson, World } from '../support/world.ts';
import { AXE, barriers } from './axe.ts';
import { CALM, openChromium } from './chromium.ts';

const HOSTILE = '</bdi><script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">\u202e';
const IGNORED = { onTrouble: () => undefined, onLate: () => undefined };
const MINUTE_MS = 60_000;
const DECISIONS = 1_000;

/** The folder for the pictures of the pages; none are made without it. */
const PICTURES = process.env.CONSOLE_PICTURES;

describe('the console of the example, in Chromium', () => {
  let folder: string;
  let chromium: Browser;
  let example: RunningServer & Awaited<ReturnType<typeof makeExampleProvider>>;
  let site: Site;
  const store = new Keyv();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qr-login-console-'));
    chromium = await openChromium();
    const auditLog = join(folder, 'decisions.jsonl');
    await writeDecisions(auditLog, await signDecision());
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      return makeExampleProvider({
        issuer,
        store,
        clients: [testClient(CLIENT_ID, { client_name: HOSTILE })],
        console: { operators: ['a11ce'], auditLog },
        qrLogin: { limits: false },
      });
    });
    await fillAccount();
    for (let times = 0; times < 25; times++) await browserAt(site);
  });

  after(async () => {
    await example?.qr.close();
    await example?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Gives bob 60 browsers that are signed in, and 100 that he trusts, with hostile names. */
  async function fillAccount(): Promise<void> {
    const { provider } = example;
    const keys = new SecretKeys(provider.keys as string[]);
    const engine = engineForIssuer(chooseEngine(store, Date.now, IGNORED), site.issuer, keys);
    const now = Date.now();
    const times = { lastUsedAt: now, endsAt: now + 60 * MINUTE_MS };
    const described = { label: HOSTILE, name: 'Chrome', system: HOSTILE, place: { city: HOSTILE } };
    for (let index = 0; index < 60; index++) {
      const session = Object.assign(new provider.Session(), {
        accountId: 'b0b',
        loginTs: Math.floor(now / 1000),
        authorizations: { [CLIENT_ID]: { sid: `sid${index}` } },
      });
      session.exp = Math.floor(now / 1000) + 3600;
      await session.persist();
      const { uid } = session;
      await engine.browsers.put('b0b', {
        id: browserId(uid),
        sessionUid: uid,
        signedInAt: now,
        ...described,
        ...times,
      });
    }
    for (let index = 0; index < 100; index++)
      await engine.known.put('b0b', {
        id: `known${index}`,
        sessionUid: 'none',
        trustedAt: now,
        ...described,
        ...times,
      });
    await engine.close();
  }

  async function signIn(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await chromium.newContext({ ...CALM, locale: 'en-GB', ...options });
    await context.addInitScript({ path: AXE });
    const page = await context.newPage();
    await page.goto(`${site.issuer}/console/`);
    await page.fill('[name=name]', 'alice');
    await page.fill('[name=password]', 'wonderland');
    await page.press('[name=password]', 'Enter');
    await page.waitForURL(`${site.issuer}/console/`);
    return page;
  }

  const rowsOf = (page: Page, section: string): Promise<number> =>
    page.locator(`section[aria-labelledby=${section}] .rows > li`).count();

  for (const width of [360, 1366]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`has no barrier and fits ${width} pixels, ${colorScheme}`, async () => {
        const page = await signIn({ viewport: { width, height: 800 }, colorScheme });
        await example.qr.admin.activity();
        for (const path of ['/', '/account?id=bob', '/blocks', '/audit']) {
          await page.goto(`${site.issuer}/console${path}`);
          expect(await barriers(page), path).to.deep.equal([]);
          expect(await page.evaluate<number>('document.documentElement.scrollWidth'), path).to.equal(width);
          expect(await page.title()).to.include('Console');
          const name = `${path.replaceAll(/\W+/g, '-')}-${width}-${colorScheme}.png`;
          if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, name) });
        }
        await page.context().close();
      });
    }
  }

  it('runs nothing that a client or a browser has in its name', async () => {
    const page = await signIn();
    await page.goto(`${site.issuer}/console/account?id=bob`);
    expect(await page.locator('main img, main script').count()).to.equal(0);
    expect(await page.locator('#browser-0').textContent()).to.include('<img src=x');
    expect(await page.title()).to.equal('Accounts – Console');
    await page.context().close();
  });

  it('shows long lists in pages', async () => {
    const page = await signIn();
    await page.goto(`${site.issuer}/console/account?id=bob`);
    expect(await rowsOf(page, 'browsers')).to.equal(20);
    await page.click('nav[aria-label="Pages of trusted browsers"] >> text=Next');
    expect(await page.locator('nav[aria-label="Pages of trusted browsers"]').textContent()).to.include('Page 2 of 5');
    await page.goto(`${site.issuer}/console/audit`);
    let shown = 0;
    for (;;) {
      shown += await page.locator('[data-problem=""]').count();
      const older = page.locator('text=Older decisions');
      if ((await older.count()) === 0) break;
      await older.click();
      await page.waitForLoadState('load');
    }
    expect(shown).to.equal(DECISIONS);
    await page.context().close();
  });

  it('refreshes the counts without a reload', async () => {
    const page = await signIn();
    const waiting = page.locator('[data-count=waiting]');
    const before = Number(await waiting.textContent());
    await browserAt(site);
    await waiting.filter({ hasText: `${before + 1}` }).waitFor();
    await page.context().close();
  });

  it('signs a browser out without scripts, by the keyboard', async () => {
    const page = await signIn({ javaScriptEnabled: false });
    await page.goto(`${site.issuer}/console/account?id=bob`);
    const before = (await example.qr.admin.account('b0b')).browsers.length;
    await page.focus('#out-0');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=sign-out/);
    expect(await page.locator('[role=status]').textContent()).to.equal('The sessions were ended.');
    expect((await example.qr.admin.account('b0b')).browsers).to.have.length(before - 1);
    await page.context().close();
  });
});

/** Returns a decision that an app has signed. */
async function signDecision(): Promise<DecisionRecord> {
  const records: DecisionRecord[] = [];
  const onDecision = (_ctx: unknown, record: DecisionRecord): void => void records.push(record);
  await World.during({ qrLogin: { onDecision } }, async (world) => {
    const app = await new AppPerson(world).signIn();
    const browser = new BrowserPerson(world);
    await browser.start();
    await app.scan(await browser.code());
    await app.decide('approve', { signature: await app.sign('approve') });
  });
  const [record] = records;
  if (record === undefined) throw new Error('no decision was recorded');
  return record;
}

async function writeDecisions(path: string, record: DecisionRecord): Promise<void> {
  const log = await AuditLog.open(path);
  for (let times = 0; times < DECISIONS; times++) await log.append(record);
  await log.close();
}
