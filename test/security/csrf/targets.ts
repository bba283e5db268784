/** Acts that another site may want the victim to do, and checks that they were done. */
import type { Answer } from '../../support/agent.ts';
import { shortCodeOn, shortCodesAllowed } from '../../support/typing.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { approveSignIn, phoneOf } from '../approver/people.ts';
import { PASSKEY, withPasskey } from '../approver/sessions.ts';

export interface Victim {
  readonly who: BrowserVisitor | PhoneVisitor;
  readonly url: string;
  /** The fields that the victim's own page would send. The attacker knows all of them. */
  readonly fields: Record<string, string>;
  /** Returns the new state, if the act was done. @param answer the answer to the victim */
  readonly findEffect: (answer: Answer) => Promise<string | undefined>;
}

export interface Target {
  readonly does: string;
  readonly on?: WorldOptions;
  /** @param onCode called with the code before the phone scans it */
  readonly prepare: (site: Site, onCode?: (code: string) => Promise<void>) => Promise<Victim>;
}

export const TARGETS: readonly [Target, ...Target[]] = [
  {
    does: 'finishes what the phone has approved',
    prepare: async (site) => {
      const { browser } = await approveSignIn(site, 'alice');
      return { who: browser, url: `${browser.at}/qr/finish`, fields: {}, findEffect: state(browser, 'redeemed') };
    },
  },
  {
    does: 'renews the code',
    prepare: async (site) => {
      const browser = await atTheCode(site);
      const { version } = await browser.ticket();
      const happened = async (): Promise<string | undefined> =>
        (await browser.ticket()).version === version ? undefined : 'another code';
      return { who: browser, url: `${browser.at}/qr/renew`, fields: {}, findEffect: happened };
    },
  },
  {
    does: 'cancels the sign-in',
    prepare: async (site) => {
      const browser = await atTheCode(site);
      return { who: browser, url: `${browser.at}/cancel`, fields: {}, findEffect: state(browser, 'cancelled') };
    },
  },
  {
    does: 'consents',
    prepare: async (site) => {
      const browser = await atTheCode(site);
      const { issuer, client } = site;
      const at = await browser.agent.follow(new URL(await browser.signInWithPassword('alice'), issuer));
      // After the consent, the address leads to the app. Without the consent, it would start the sign-in again.
      const happened = async ({ location, text }: Answer): Promise<string | undefined> => {
        const next = location || /"redirectTo":"([^"]+)"/.exec(text)?.[1];
        if (next === undefined) return undefined;
        const isAtApp = (url: URL): boolean => url.href.startsWith(client.callback);
        const arrived = (await browser.agent.follow(new URL(next, issuer), isAtApp)).location;
        return arrived.includes('code=') ? arrived : undefined;
      };
      if (!at.text.includes('/consent"')) throw new Error('there is no consent page');
      return { who: browser, url: `${at.url}/consent`, fields: {}, findEffect: happened };
    },
  },
  {
    does: 'signs in with a passkey that is not the victim’s',
    on: withPasskey,
    prepare: async (site) => {
      const browser = await atTheCode(site);
      const url = `${browser.at}/qr/passkey`;
      return { who: browser, url, fields: { proof: PASSKEY }, findEffect: state(browser, 'cancelled') };
    },
  },
  {
    does: 'scans with the phone',
    prepare: async (site, onCode) => {
      const browser = await atTheCode(site);
      const who = await phoneOf(site, 'alice');
      const url = await browser.code();
      await onCode?.(url);
      const { csrf } = (await who.look(url)).json();
      return { who, url, fields: { csrf: `${csrf}` }, findEffect: state(browser, 'scanned') };
    },
  },
  {
    does: 'types a short code on the phone',
    on: shortCodesAllowed,
    prepare: async (site) => {
      const browser = await atTheCode(site);
      const who = await phoneOf(site, 'alice');
      const url = `${site.issuer}/qr/scan`;
      const { csrf } = (await who.look(url)).json();
      const fields = { csrf: `${csrf}`, shortCode: await shortCodeOn(browser) };
      return { who, url, fields, findEffect: state(browser, 'scanned') };
    },
  },
  {
    does: 'approves with the phone',
    prepare: async (site, onCode) => {
      const browser = await atTheCode(site);
      const { who, csrf } = await scanOnPhone(site, browser, onCode);
      return { who, url: who.at, fields: { csrf, decision: 'approve' }, findEffect: state(browser, 'approved') };
    },
  },
  {
    does: 'signs a browser out from the phone',
    prepare: async (site) => {
      const { browser, phone } = await approveSignIn(site, 'alice');
      await browser.tokens((await browser.finish()).json().redirectTo);
      const url = `${site.issuer}/qr/devices`;
      const { csrf } = (await phone.look(url)).json();
      const happened = async (): Promise<string | undefined> => {
        const browsers = (await phone.look(url)).json().browsers as { isHere: boolean }[];
        // The phone itself stays signed in.
        return browsers.every(({ isHere }) => isHere) ? 'signed out' : undefined;
      };
      return { who: phone, url, fields: { csrf: `${csrf}`, end: 'all' }, findEffect: happened };
    },
  },
  {
    does: 'reports with the phone',
    prepare: async (site, onCode) => {
      const browser = await atTheCode(site);
      const { who, csrf } = await scanOnPhone(site, browser, onCode);
      return { who, url: who.at, fields: { csrf, decision: 'report' }, findEffect: state(browser, 'denied') };
    },
  },
];

async function scanOnPhone(
  site: Site,
  browser: BrowserVisitor,
  onCode?: (code: string) => Promise<void>,
): Promise<{ who: PhoneVisitor; csrf: string }> {
  const who = await phoneOf(site, 'alice');
  const code = await browser.code();
  await onCode?.(code);
  const { csrf } = (await who.scan(code)).json();
  return { who, csrf: `${csrf}` };
}

/**
 * Sends the page's own request.
 * @throws Error if it has no effect either, because then the attack failed for another reason
 */
export async function sendOwn({ who, url, fields, findEffect: happened }: Victim): Promise<void> {
  const answer = await who.post(url, fields);
  if ((await happened(answer)) === undefined)
    throw new Error(`the page's own request has no effect: ${answer.status} ${answer.text}`);
}

export async function atTheCode(site: Site): Promise<BrowserVisitor> {
  const browser = new BrowserVisitor(site);
  await browser.start();
  return browser;
}

function state(browser: BrowserVisitor, wanted: string): () => Promise<string | undefined> {
  return async () => ((await browser.ticket()).state === wanted ? wanted : undefined);
}
