/**
 * Opens phones with a signed-in user. They sign in over HTTP. In the short suite they also scan over HTTP, which takes a
 * tenth of the time that the pages need. The tests of the password page, the landing page and the complete sign-in use
 * the pages in both suites.
 */
import { expect } from 'chai';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { isFullSuite } from '../support/full-suite.ts';
import { PhoneVisitor } from '../support/visitors.ts';
import { approve, arriveAtConfirm, checkCodeOn, codeOn, deny } from './acts.ts';
import type { Stage } from './stage.ts';

interface PhoneOptions extends BrowserContextOptions {
  readonly name?: string;
  /** A Chromium other than the one that all tests share. */
  readonly browser?: Browser;
}

/** Maps each phone to the visitor that acts for it over HTTP with the same cookies. */
const visitors = new WeakMap<BrowserContext, PhoneVisitor>();

/** Opens a signed-in phone in Chromium. @param options `name` is its user, alice by default */
export async function signedInPhone(stage: Stage, options: PhoneOptions = {}): Promise<BrowserContext> {
  const { name, browser, ...context } = options;
  const phone = await stage.phone(context, browser);
  await signInOn(stage, phone, name, context.extraHTTPHeaders);
  return phone;
}

/** Signs a user in on a device. @param headers headers that the device sends with each request */
export async function signInOn(
  stage: Stage,
  device: BrowserContext,
  name: string = 'alice',
  headers: Record<string, string> = {},
): Promise<void> {
  const visitor = await signIn(stage, name, headers);
  visitors.set(device, visitor);
  await passCookies(visitor, device);
}

/**
 * Scans the code on the screen.
 * @param phone a signed-in phone, or one of its pages to navigate; a new phone of alice by default
 * @returns the phone's page, once it asks for a decision
 */
export async function scan(stage: Stage, screen: Page, phone?: BrowserContext | Page): Promise<Page> {
  return scanCode(stage, await codeOn(screen), phone);
}

/** Scans by the address in a code. */
export async function scanCode(stage: Stage, code: string, phone?: BrowserContext | Page): Promise<Page> {
  const device = phone ?? (await signedInPhone(stage));
  const page = 'goto' in device ? device : await stage.open(device);
  await page.goto(isFullSuite ? code : await scanOverHttp(page.context(), code));
  await arriveAtConfirm(page);
  return page;
}

/** A phone that has scanned a code. */
export interface ScannedPhone {
  readonly approve: () => Promise<void>;
  readonly deny: () => Promise<void>;
  /** Returns the six digits that the phone shows after Approve. */
  readonly checkCode: () => Promise<string>;
}

/** Scans with a phone of alice, for a test about the browser. In the short suite this phone has no pages. */
export async function scanBeside(stage: Stage, screen: Page): Promise<ScannedPhone> {
  return scanCodeBeside(stage, await codeOn(screen));
}

/** Scans by the address in a code. @param headers headers that the phone sends with each request */
export async function scanCodeBeside(
  stage: Stage,
  code: string,
  headers: Record<string, string> = {},
): Promise<ScannedPhone> {
  if (!isFullSuite) return scannedOverHttp(stage, code, headers);
  return scannedInChromium(await scanCode(stage, code, await signedInPhone(stage, { extraHTTPHeaders: headers })));
}

function scannedInChromium(page: Page): ScannedPhone {
  return { approve: () => approve(page), deny: () => deny(page), checkCode: () => checkCodeOn(page) };
}

async function scannedOverHttp(stage: Stage, code: string, headers: Record<string, string>): Promise<ScannedPhone> {
  const visitor = await signIn(stage, 'alice', headers);
  await expectScan(visitor, code);
  let checkCode = '';
  return {
    approve: async () => {
      const answer = await visitor.approve();
      expect(answer.state).to.equal('approved');
      checkCode = `${answer.checkCode ?? ''}`;
    },
    deny: async () => {
      expect((await visitor.decide('deny')).json().state).to.equal('denied');
    },
    checkCode: async () => checkCode,
  };
}

async function scanOverHttp(phone: BrowserContext, code: string): Promise<string> {
  const visitor = visitors.get(phone);
  if (visitor === undefined) throw new Error('only a signed-in phone can scan');
  await expectScan(visitor, code);
  await passCookies(visitor, phone);
  return visitor.at;
}

async function expectScan(visitor: PhoneVisitor, code: string): Promise<void> {
  const { status, text } = await visitor.scan(code);
  expect(status, text).to.equal(200);
}

async function signIn(stage: Stage, name: string, headers: Record<string, string>): Promise<PhoneVisitor> {
  const client = { id: '', secret: '', callback: '' };
  const visitor = new PhoneVisitor({ issuer: stage.issuer, client }, fetch, headers);
  const page = await visitor.signInAt(`${stage.issuer}/account`, name);
  expect(page.status, page.text).to.equal(200);
  return visitor;
}

/** Copies the cookies that were set over HTTP into the browser. */
async function passCookies({ agent, site }: PhoneVisitor, phone: BrowserContext): Promise<void> {
  const domain = new URL(site.issuer).hostname;
  const cookies = await agent.jar.store.getAllCookies();
  await phone.addCookies(
    cookies.map(({ key, value, path, httpOnly }) => ({ name: key, value, domain, path: path ?? '/', httpOnly })),
  );
}
