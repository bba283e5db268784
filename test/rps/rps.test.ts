import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { codeOn, seeCode } from '../chromium/acts.ts';
import { CALM, openChromium } from '../chromium/chromium.ts';
import type { Answer } from '../support/agent.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../support/world.ts';
import { startExpressOpenidConnect } from './express-openid-connect.ts';
import type { RunningRp } from './hosting.ts';
import { startOidcClientTs } from './oidc-client-ts.ts';
import { startOpenidClient } from './openid-client.ts';
import { startPassportOpenidconnect } from './passport-openidconnect.ts';

/** The time-out of Chromium's waits. It is long, because a page may take ten times as long on a busy machine. */
const PATIENCE_MS = 50_000;
/** The `error_description` with `access_denied`. */
const DENIED = 'The sign-in was not approved.';

describe('an RP with openid-client', () => {
  const here = useRp(startOpenidClient);

  it('gets the claims of the user who approved on the phone', async () => {
    const { browser, phone } = await scanAtRp(here());
    await phone.approve();
    const page = await finish(browser);
    expect(page.url.href).to.equal(`${here().rp.url}/`);
    expect(page.json()).to.deep.equal({ sub: 'a11ce', name: 'Alice Liddell' });
  });

  it('gets an AuthorizationResponseError with access_denied if the phone denies', async () => {
    const { browser, phone } = await scanAtRp(here());
    await phone.deny();
    const page = await finish(browser);
    expect(page.url.href.startsWith(`${here().rp.url}/callback?error=access_denied`)).to.equal(true);
    expect(page.json()).to.deep.equal({ error: 'access_denied', description: DENIED });
  });

  it('signs the browser out', async () => {
    const { world, rp } = here();
    const { browser, phone } = await scanAtRp(here());
    await phone.approve();
    await finish(browser);

    const asked = await browser.agent.follow(`${rp.url}/logout`);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    const form = { xsrf, logout: 'yes' };
    const { location } = await browser.agent.post(`${world.issuer}/session/end/confirm`, { form });
    const page = await browser.goOn(location);

    expect(page.url.href).to.equal(`${rp.url}/`);
    expect(page.json()).to.deep.equal({});
    expect((await browser.goOn(`${rp.url}/login`)).text).to.include('data-code');
  });
});

describe('an RP with passport-openidconnect', () => {
  const here = useRp(startPassportOpenidconnect);

  it('gets the claims of the user who approved on the phone', async () => {
    const { browser, phone } = await scanAtRp(here(), 'bob');
    await phone.approve();
    const page = await finish(browser);
    expect(page.url.href).to.equal(`${here().rp.url}/`);
    expect(page.json()).to.deep.equal({ user: { id: 'b0b', name: 'Bob Sawyer' } });
  });

  it('keeps a failureMessage if the phone denies, and its failureRedirect leads to a new code', async () => {
    const { world, rp } = here();
    const { browser, phone } = await scanAtRp(here());
    await phone.deny();
    const page = await finish(browser);
    expect(page.url.href.startsWith(`${world.issuer}/interaction/`)).to.equal(true);
    expect(page.url.href).not.to.equal(browser.at);
    expect(page.text).to.include('data-code');
    expect((await browser.agent.get(rp.url)).json()).to.deep.equal({ messages: [DENIED] });
  });
});

describe('an RP with express-openid-connect in Chromium', () => {
  const here = useRp(startExpressOpenidConnect);
  const open = useChromium();

  it('gets the claims of the user who approved on the phone', async () => {
    const { world, rp } = here();
    const page = await open(rp.url);
    await decide(world, page, 'approve');
    await allow(page);
    await page.waitForURL(`${rp.url}/`);
    expect(await jsonOn(page)).to.include({ sub: 'a11ce', name: 'Alice Liddell', email: 'alice@example.com' });
  });

  inFullSuite(() =>
    it('passes access_denied to its error handler if the phone denies', async () => {
      const { world, rp } = here();
      const page = await open(rp.url);
      await decide(world, page, 'deny');
      await page.waitForURL(`${rp.url}/callback`);
      expect(await jsonOn(page)).to.deep.equal({ error: 'access_denied', description: DENIED });
    }),
  );

  it('signs the browser out of the provider, too, with idpLogout', async () => {
    const { world, rp } = here();
    const page = await open(rp.url);
    await decide(world, page, 'approve');
    await allow(page);
    await page.waitForURL(`${rp.url}/`);

    await page.goto(`${rp.url}/logout`);
    await confirmSignOut(page);
    // Every page of this app requires a sign-in, so it redirects to the provider immediately.
    await seeCode(page);
    expect(page.url().startsWith(`${world.issuer}/interaction/`)).to.equal(true);
  });
});

describe('an RP with oidc-client-ts in Chromium', () => {
  const here = useRp(startOidcClientTs, {
    configuration: {
      clientBasedCORS: (_ctx, origin, { redirectUris = [] }) =>
        redirectUris.some((uri) => new URL(uri).origin === origin),
    },
  });
  const open = useChromium();

  it('gets the claims of the user who approved on the phone', async () => {
    const { page, shown } = await signIn();
    expect(shown).to.include({ sub: 'a11ce', name: 'Alice Liddell' });
    expect(page.url().startsWith(`${here().rp.url}/signed-in?code=`)).to.equal(true);
  });

  inFullSuite(() =>
    it('gets an ErrorResponse with access_denied if the phone denies', async () => {
      const page = await open(here().rp.url);
      await press(page, 'Sign in');
      await decide(here().world, page, 'deny');
      expect(await shownOn(page)).to.deep.equal({ error: 'access_denied', description: DENIED });
    }),
  );

  it('signs the browser out', async () => {
    const { page } = await signIn();
    await press(page, 'Sign out');
    await confirmSignOut(page);
    await page.waitForURL(`${here().rp.url}/signed-out`);
    expect(await shownOn(page)).to.deep.equal({});
    await press(page, 'Sign in');
    await seeCode(page);
  });

  it('signs in through a popup that closes automatically', async () => {
    const { page, popup } = await openPopup();
    await decide(here().world, popup, 'approve');
    const closed = popup.waitForEvent('close');
    await allow(popup);
    await closed;
    expect(await shownOn(page)).to.include({ sub: 'a11ce', name: 'Alice Liddell' });
    expect(page.url()).to.equal(`${here().rp.url}/`);
  });

  inFullSuite(() =>
    it('gets access_denied from its popup if the phone denies', async () => {
      const { page, popup } = await openPopup();
      const closed = popup.waitForEvent('close');
      await decide(here().world, popup, 'deny');
      await closed;
      expect(await shownOn(page)).to.include({ error: 'access_denied' });
    }),
  );

  inFullSuite(() =>
    it('gets an error if its popup is closed while it shows the code, and signs in at the next try', async () => {
      const { page, popup } = await openPopup();
      await seeCode(popup);
      await popup.close();
      expect(await shownOn(page)).to.include({ error: 'Popup closed by user' });

      await press(page, 'Sign in');
      await decide(here().world, page, 'approve');
      await allow(page);
      expect(await shownOn(page)).to.include({ sub: 'a11ce' });
    }),
  );

  it('renews silently in an iframe while the browser has a session', async () => {
    const { page, shown: first } = await signIn();
    await press(page, 'Renew silently');
    const second = await shownOn(page);
    expect(second).to.include({ sub: 'a11ce', name: 'Alice Liddell' });
    expect(second.token).to.be.a('string').and.not.to.equal(first.token);
  });

  it('gets login_required from its iframe if the browser has no session, and no ticket is created', async () => {
    const made = here().world.count('qr_login.shown');
    const page = await open(here().rp.url);
    await press(page, 'Renew silently');
    expect(await shownOn(page)).to.include({ error: 'login_required' });
    expect(made()).to.equal(0);
  });

  async function signIn(): Promise<{ page: Page; shown: Record<string, unknown> }> {
    const page = await open(here().rp.url);
    await press(page, 'Sign in');
    await decide(here().world, page, 'approve');
    await allow(page);
    return { page, shown: await shownOn(page) };
  }

  async function openPopup(): Promise<{ page: Page; popup: Page }> {
    const page = await open(here().rp.url);
    const [popup] = await Promise.all([page.waitForEvent('popup'), press(page, 'Sign in in a popup')]);
    return { page, popup };
  }
});

interface Here {
  readonly world: World;
  readonly rp: RunningRp;
}

/** Starts a provider and an RP for the tests of a suite. */
function useRp(start: (world: World) => Promise<RunningRp>, options: WorldOptions = {}): () => Here {
  let world: World | undefined;
  let rp: RunningRp | undefined;
  before(async () => {
    world = await World.start(options);
    rp = await start(world);
  });
  after(async () => {
    await rp?.stop();
    await world?.stop();
  });
  return () => {
    if (world === undefined || rp === undefined) throw new Error('the RP exists only while a test runs');
    return { world, rp };
  };
}

/** Returns a function that opens a page in a browser without stored data. The browser is closed after the test. */
function useChromium(): (url: string) => Promise<Page> {
  const contexts: BrowserContext[] = [];
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  return async (url) => {
    const browser = await openChromium();
    const context = await browser.newContext({ ...CALM, locale: 'en-GB', ignoreHTTPSErrors: true });
    contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  };
}

/** Returns a browser that the RP has sent to the provider, and a phone that has scanned its code. */
async function scanAtRp(
  { world, rp }: Here,
  name: 'alice' | 'bob' = 'alice',
): Promise<{ browser: BrowserPerson; phone: PhonePerson }> {
  const browser = new BrowserPerson(world);
  browser.at = (await browser.goOn(`${rp.url}/login`)).url.href;
  const phone = await new PhonePerson(world).signIn(name);
  await phone.scan(await browser.code());
  return { browser, phone };
}

/** Finishes in the browser after the phone's decision, and allows the consent page. @returns the last answer */
async function finish(browser: BrowserPerson): Promise<Answer> {
  const { redirectTo } = (await browser.finish()).json();
  const page = await browser.goOn(String(redirectTo));
  if (!page.text.includes('/consent"')) return page;
  const granted = await browser.agent.post(`${page.url}/consent`, { json: {} });
  return browser.goOn(String(granted.json().redirectTo));
}

/** Scans the code on this page with a signed-in phone, and decides. */
async function decide(world: World, page: Page, decision: 'approve' | 'deny'): Promise<void> {
  const phone = await new PhonePerson(world).signIn();
  await phone.scan(await codeOn(page));
  expect((await phone.decide(decision)).status).to.equal(200);
}

async function allow(page: Page): Promise<void> {
  await press(page, 'Allow');
}

/** Confirms the sign-out on the provider's own page. */
async function confirmSignOut(page: Page): Promise<void> {
  await press(page, 'Sign out');
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

async function jsonOn(page: Page): Promise<Record<string, unknown>> {
  return JSON.parse((await page.locator('body').textContent()) ?? '');
}

/** Returns the JSON that the page with oidc-client-ts shows when it is done. */
async function shownOn(page: Page): Promise<Record<string, unknown>> {
  return JSON.parse((await page.locator('pre', { hasText: '{' }).textContent()) ?? '');
}
