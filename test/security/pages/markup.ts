/** Row 11 of the table in docs/security.md: text from other parties is shown as text on our pages. */
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import { testClient, type WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { HTML, openConfirmPage, openConsentPage, signInPhone, siteOfRp, startSignIn } from './visits.ts';

/** Markup without spaces and quotes, which can also be an item of a list. */
const MARKUP = '<img/src=x/onerror=alert(1)>';
/** Markup after characters that close an attribute. */
const CLOSING = `"'>${MARKUP}`;
const PUBLIC = { 'x-forwarded-for': '203.0.113.7' };

interface Way {
  readonly name: string;
  readonly on?: WorldOptions;
  /** True if the page may leave the text out. */
  readonly mayBeSilent?: boolean;
  /** Plants the markup. @returns the pages that may show it */
  readonly plant: (site: Site) => Promise<string[]>;
}

const features = (more: object): WorldOptions => ({
  configuration: { features: { devInteractions: { enabled: false }, ...more } },
});

const WAYS: Way[] = [
  {
    name: "its app's name",
    on: { clients: [testClient('named', { client_name: CLOSING })] },
    plant: async (site) => {
      const { browser, page } = await startSignIn(siteOfRp(site, 'named'));
      const phone = await signInPhone(site);
      const confirm = await openConfirmPage(phone, browser);
      const consent = await openConsentPage(phone, browser);
      return [page.text, confirm.text, consent.text, (await phone.agent.get(phone.at, HTML)).text];
    },
  },
  {
    name: 'the place of its address',
    on: { proxy: true, qrLogin: { locate: () => ({ city: CLOSING, country: 'DE' }) } },
    plant: async (site) => {
      const { browser } = await startSignIn(site, {}, PUBLIC);
      return [(await openConfirmPage(await signInPhone(site), browser)).text];
    },
  },
  {
    name: 'a login_hint',
    plant: async (site) => {
      const { browser, page } = await startSignIn(site, { login_hint: CLOSING, ui_locales: CLOSING });
      return [page.text, (await browser.agent.get(`${browser.at}/password`, HTML)).text];
    },
  },
  {
    name: "its account's name",
    on: { qrLogin: { findAccount: () => ({ name: CLOSING }) } },
    plant: async (site) => {
      const { browser } = await startSignIn(site);
      const phone = await signInPhone(site);
      const confirm = await openConfirmPage(phone, browser);
      const consent = await openConsentPage(phone, browser);
      const other = await startSignIn(site, { prompt: 'login' });
      // Load the consent page again in the browser of the first sign-in.
      await browser.agent.follow(`${consent.url}`);
      return [confirm.text, consent.text, other.page.text];
    },
  },
  {
    name: 'a scope',
    on: { configuration: { scopes: ['openid', 'profile', MARKUP] } },
    plant: async (site) => {
      const { browser } = await startSignIn(site, { scope: `openid ${MARKUP}` });
      const phone = await signInPhone(site);
      return [(await openConfirmPage(phone, browser)).text, (await openConsentPage(phone, browser)).text];
    },
  },
  {
    name: 'a claim',
    on: {
      configuration: {
        claims: { openid: ['sub'], profile: ['name'], [CLOSING]: null },
        features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
      },
    },
    plant: async (site) => {
      const claims = JSON.stringify({ userinfo: { [CLOSING]: null } });
      const { browser } = await startSignIn(site, { claims });
      const phone = await signInPhone(site);
      return [(await openConfirmPage(phone, browser)).text, (await openConsentPage(phone, browser)).text];
    },
  },
  {
    name: 'a resource',
    on: features({
      resourceIndicators: { enabled: true, getResourceServerInfo: () => ({ scope: `read ${MARKUP}` }) },
    }),
    plant: async (site) => {
      const { browser } = await startSignIn(site, { resource: `urn:${MARKUP}`, scope: `openid read ${MARKUP}` });
      const phone = await signInPhone(site);
      return [(await openConfirmPage(phone, browser)).text, (await openConsentPage(phone, browser)).text];
    },
  },
  {
    name: 'the description of an error',
    mayBeSilent: true,
    plant: async (site) => {
      const { agent } = new PhoneVisitor(site);
      const query = new URLSearchParams({ error_description: CLOSING, state: CLOSING });
      return [(await agent.get(`${site.issuer}/account/signed-in?${query}`, HTML)).text];
    },
  },
];

export const markupAttacks: Attack[] = WAYS.map(({ name, on = {}, mayBeSilent = false, plant }) => ({
  row: 11,
  name: `writes markup into a page by ${name}`,
  on,
  without: { defence: 'escaping', options: inFront(unescaping) },
  run: async (site) => {
    const pages = await plant(site);
    if (pages.some((page) => page.includes(MARKUP))) return MARKUP;
    if (pages.some((page) => page.includes(MARKUP.replace('<', '&lt;').replace('>', '&gt;')))) return undefined;
    if (mayBeSilent) return undefined;
    throw new Error('none of the pages shows the markup, not even as text');
  },
}));

async function unescaping(ctx: { body: unknown }, next: () => Promise<void>): Promise<void> {
  await next();
  if (typeof ctx.body === 'string') ctx.body = ctx.body.replaceAll('&lt;', '<').replaceAll('&gt;', '>');
}
