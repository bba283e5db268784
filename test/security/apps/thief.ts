/**
 * Steps of an attacker who has a credential of the victim's app, and wants to sign in as the victim in the attacker's
 * own browser.
 */

import type { Answer } from '../../support/agent.ts';
import { AppPerson, type AppRequest } from '../../support/app.ts';
import type { BrowserVisitor, Site } from '../../support/visitors.ts';
import { openQrPage } from '../scene.ts';

/** Sends a request with the credential that the attacker has. */
export type Send = (method: string, path: string, request: AppRequest) => Promise<Answer>;

export function signInVictim(site: Site): Promise<AppPerson> {
  return new AppPerson(site).signIn('alice');
}

/** Returns the attacker's own app, which is signed in as another user and has a nonce of the server. */
export async function signInAttacker(site: Site): Promise<AppPerson> {
  const app = await new AppPerson(site).signIn('bob');
  await app.request('GET', '/qr/api/browsers');
  return app;
}

/** Scans the code of the attacker's browser, and approves. @returns the gain; undefined if the server refuses a step */
export async function approveOwnBrowser(site: Site, send: Send): Promise<string | undefined> {
  const browser = await openQrPage(site);
  const scanned = await send('POST', '/qr/api/scans', { body: { code: await browser.code() } });
  if (scanned.status !== 201) return undefined;
  const approved = await send('POST', `${scanned.location}/decision`, { body: { decision: 'approve' } });
  return approved.status === 200 ? gainOf(browser) : undefined;
}

async function gainOf(browser: BrowserVisitor): Promise<string | undefined> {
  const { state } = await browser.ticket();
  return state === 'approved' ? "a browser of the attacker that may sign in to the victim's account" : undefined;
}
