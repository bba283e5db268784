/**
 * Pictures of every page. `node --import ts-blank-space/register scripts/screenshots.ts <folder>` saves all of them there;
 * without a folder only the one of the README is made anew.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { ExampleOptions } from '../examples/provider.ts';
import type { QrLoginOptions } from '../src/index.ts';
import {
  approve,
  arriveAtConfirm,
  askToSignIn,
  checkCodeOn,
  deny,
  giveName,
  otherThan,
  scan,
  seeScreen,
} from '../test/chromium/acts.ts';
import { closeChromium } from '../test/chromium/chromium.ts';
import { readCode } from '../test/chromium/qr-from-pixels.ts';
import { Stage } from '../test/chromium/stage.ts';

const README_FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url));

type Look = BrowserContextOptions & { colorScheme: 'light' | 'dark' };
const LOOKS: readonly Look[] = [{ colorScheme: 'light' }, { colorScheme: 'dark' }];

const BEHIND_PROXY = { proxy: true, passkeys: true };
const FAR_AWAY = { 'x-forwarded-for': '203.0.113.7' };
const ABROAD = { country: 'BR', city: 'São Paulo' };

const [folder] = process.argv.slice(2);
mkdirSync(folder ?? README_FOLDER, { recursive: true });
try {
  await on({}, pictureForReadme);
  if (folder !== undefined) {
    for (const look of LOOKS) {
      await on({}, (stage) => approvedPages(stage, look));
      await on({}, (stage) => endedPages(stage, look));
      await on({ assess: () => 'check code' }, (stage) => checkCodePages(stage, look));
      await on({ deadlines: { scan: 1 } }, (stage) => expiredPage(stage, look));
      await on({ locate: () => ABROAD }, (stage) => suspiciousPages(stage, look), BEHIND_PROXY);
      await on({ assess: () => 'deny' }, (stage) => refusedPage(stage, look));
      await on({ limits: { address: { scan: 1 } } }, (stage) => tooOftenPage(stage, look));
    }
    await on({}, (stage) => approvedPages(stage, { colorScheme: 'light', locale: 'zh-CN' }));
  }
} finally {
  await closeChromium();
}

async function approvedPages(stage: Stage, look: Look): Promise<void> {
  const screen = await askToSignIn(stage, await stage.desktop(look));
  await save(screen, 'browser-waiting', look);
  const phone = await stage.open(await stage.phone(look), await readCode(screen));
  await phone.waitForSelector('#password');
  await save(phone, 'phone-password', look);
  await phone.fill('#name', 'alice');
  await phone.fill('#password', 'wonderland');
  await phone.click('button');
  await phone.waitForSelector('button[value=approve]');
  await save(phone, 'phone-confirm', look);
  await seeScreen(screen, 'scanned');
  await save(screen, 'browser-scanned', look);
  await phone.click('button[value=approve]');
  await phone.waitForSelector('.mark-yes');
  await save(phone, 'phone-approved', look);
  const allow = screen.locator('form[action$="/consent"] button');
  await allow.waitFor();
  await save(screen, 'browser-consent', look);
  await allow.click();
  await screen.waitForSelector('#claims');
  await save(screen, 'app-signed-in', look);
}

async function endedPages(stage: Stage, look: Look): Promise<void> {
  const screen = await askToSignIn(stage, await stage.desktop(look));
  const phone = await stage.phone(look);
  await deny(await stage.open(phone, await readCode(screen)).then(decide));
  await seeScreen(screen, 'denied');
  await save(screen, 'browser-denied', look);
  await save(phone.pages().at(-1), 'phone-denied', look);

  const wrong = await stage.open(phone, `${stage.issuer}/qr/${'A'.repeat(43)}`);
  await save(wrong, 'phone-error', look);
  await screen.waitForSelector('[data-error]');
  await save(screen, 'app-denied', look);
  await screen.goBack();
  await screen.waitForSelector('[data-error]');
  await save(screen, 'browser-error', look);

  const other = await askToSignIn(stage, await stage.desktop(look));
  const landing = await stage.open(await stage.phone({ ...look, javaScriptEnabled: false }), await readCode(other));
  await giveName(landing);
  await landing.waitForSelector('form[data-scan]');
  await save(landing, 'phone-landing-without-script', look);
  const plain = await askToSignIn(stage, await stage.desktop({ ...look, javaScriptEnabled: false }));
  await save(plain, 'browser-waiting-without-script', look);
}

async function checkCodePages(stage: Stage, look: Look): Promise<void> {
  const screen = await askToSignIn(stage, await stage.desktop(look));
  const phone = await scan(stage, await stage.phone(look), screen);
  await approve(phone);
  await save(phone, 'phone-check-code', look);
  await seeScreen(screen, 'check-code');
  await save(screen, 'browser-check-code', look);
  const wrong = otherThan(await checkCodeOn(phone));
  for (let tries = 1; tries <= 3; tries++) {
    const answer = screen.waitForResponse(/\/qr\/finish$/);
    await screen.fill('#check-code', wrong);
    await screen.click('form[data-finish] button');
    await answer;
    if (tries === 1) {
      await screen.waitForSelector('#mistake:not(:empty)');
      await save(screen, 'browser-check-code-wrong', look);
    }
  }
  await seeScreen(screen, 'cancelled');
  await save(screen, 'browser-cancelled', look);
}

/** A code that comes from somebody else, far away, and what the person says to it. */
async function suspiciousPages(stage: Stage, look: Look): Promise<void> {
  const screen = await askToSignIn(stage, await stage.desktop({ ...look, extraHTTPHeaders: FAR_AWAY }));
  await save(screen, 'browser-passkey', look);
  const phone = await stage.open(await stage.phone(look), await readCode(screen)).then(decide);
  await save(phone, 'phone-confirm-place', look);
  await phone.click('button[value=report]');
  await phone.waitForSelector('.mark-no');
  await save(phone, 'phone-reported', look);
}

async function refusedPage(stage: Stage, look: Look): Promise<void> {
  const screen = await askToSignIn(stage, await stage.desktop(look));
  const phone = await stage.open(await stage.phone(look), await readCode(screen));
  await giveName(phone);
  await phone.waitForSelector('.mark-no');
  await save(phone, 'phone-risk', look);
}

async function tooOftenPage(stage: Stage, look: Look): Promise<void> {
  const phone = await stage.open(await stage.phone(look), `${stage.issuer}/qr/${'A'.repeat(46)}`);
  await phone.reload();
  await save(phone, 'phone-too-often', look);
}

/** A page that is looked at would renew its code by itself. */
async function expiredPage(stage: Stage, look: Look): Promise<void> {
  const desktop = await stage.desktop(look);
  await desktop.addInitScript(`Object.defineProperty(document, 'visibilityState', { value: 'hidden' })`);
  const screen = await askToSignIn(stage, desktop);
  await seeScreen(screen, 'expired');
  await save(screen, 'browser-expired', look);
}

/** The QR page and the confirm page, side by side. */
async function pictureForReadme(stage: Stage): Promise<void> {
  const sharp = { deviceScaleFactor: 2 };
  const desktop = await stage.desktop({ ...sharp, viewport: { width: 760, height: 760 } });
  const screen = await askToSignIn(stage, desktop);
  const left = await screen.screenshot();
  const phone = await scan(stage, await stage.phone({ ...sharp, viewport: { width: 360, height: 760 } }), screen);
  const right = await phone.screenshot();

  const picture = await stage.open(await stage.desktop({ viewport: { width: 1240, height: 800 } }));
  const image = (png: Buffer, width: number): string =>
    `<img width="${width}" src="data:image/png;base64,${png.toString('base64')}">`;
  await picture.setContent(
    `<style>
      body { margin: 0; height: 800px; display: flex; gap: 40px; align-items: center; justify-content: center; background: #dfe5ec }
      img { border-radius: 14px; border: 1px solid #b8c2cd }
      img + img { border: 8px solid #16191d; border-radius: 34px; height: 720px; width: auto }
    </style>${image(left, 720)}${image(right, 360)}`,
  );
  writeFileSync(`${folder ?? README_FOLDER}/signin.png`, await picture.screenshot());
}

async function decide(phone: Page): Promise<Page> {
  await arriveAtConfirm(phone);
  return phone;
}

async function save(page: Page | undefined, name: string, { colorScheme, locale }: Look): Promise<void> {
  const suffix = locale === undefined ? colorScheme : `${colorScheme}-${locale}`;
  await page?.screenshot({ path: `${folder}/${name}-${suffix}.png`, fullPage: true });
}

async function on(
  qrLogin: Partial<QrLoginOptions>,
  show: (stage: Stage) => Promise<void>,
  more: Partial<ExampleOptions> = {},
): Promise<void> {
  const stage = await Stage.set(qrLogin, more);
  try {
    await show(stage);
  } finally {
    await stage.strike();
  }
}
