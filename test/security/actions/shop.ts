/** The steps of clients that ask for actions, and of the browsers that show them. */
import * as client from 'openid-client';
import { SHOP, shopClient } from '../../fixtures/test-client.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import { CLIENT_SECRET, RP_CALLBACK, type WorldOptions } from '../../support/world.ts';
import { openQrPage } from '../scene.ts';

export const OTHER_SHOP = 'other-shop';
export const BOUND_SHOP = 'bound-shop';
export const TITLE = 'Pay €12.50 to the Lighthouse Shop';

export const withShops: WorldOptions = {
  clients: [shopClient(), shopClient(OTHER_SHOP), shopClient(BOUND_SHOP, { dpop_bound_access_tokens: true })],
};

export interface Token {
  readonly value: string;
  /** Sends requests with DPoP proofs of the key that the token is bound to. Undefined for a bearer token. */
  readonly handle?: client.DPoPHandle;
}

async function configurationOf(site: Site, name: string): Promise<client.Configuration> {
  const { id, secret } = site.others?.[name] ?? { id: name, secret: CLIENT_SECRET };
  const browser = new BrowserVisitor({ ...site, client: { id, secret, callback: RP_CALLBACK } });
  return browser.configuration();
}

export async function tokenOf(
  site: Site,
  name: string,
  scope: string = 'qr_action',
  isBound: boolean = false,
): Promise<Token> {
  const configuration = await configurationOf(site, name);
  const handle = isBound ? client.getDPoPHandle(configuration, await client.randomDPoPKeyPair()) : undefined;
  const { access_token: value } = await client.clientCredentialsGrant(
    configuration,
    { scope },
    handle && { DPoP: handle },
  );
  return { value, ...(handle && { handle }) };
}

export function ask(site: Site, { value }: Token, sub: string, title: string = TITLE): Promise<Answer> {
  const headers = { authorization: `Bearer ${value}`, accept: 'application/json' };
  return new BrowserVisitor(site).agent.post(`${site.issuer}/qr/actions`, { headers, json: { title, sub } });
}

/** Returns alice's subject, which a client learns from her sign-in. */
export async function subjectOfAlice(site: Site): Promise<string> {
  const browser = await openQrPage(site);
  const tokens = await browser.tokens(await browser.signInWithPassword('alice'));
  return `${tokens.claims()?.sub}`;
}

/** An action for which the shop has asked alice. */
export interface RequestedAction {
  readonly id: string;
  readonly url: string;
  /** Alice's subject at the shop. */
  readonly sub: string;
}

/** The shop asks alice for an approval. */
export async function requestAction(site: Site, title: string = TITLE): Promise<RequestedAction> {
  const sub = await subjectOfAlice(site);
  const answer = await ask(site, await tokenOf(site, SHOP), sub, title);
  if (answer.status !== 201) throw new Error(`the shop cannot ask: ${answer.status} ${answer.text}`);
  const { id, url } = answer.json();
  return { id: `${id}`, url: `${url}`, sub };
}

/** A browser that shows the action. */
export async function openAction(site: Site, url: string): Promise<BrowserVisitor> {
  const browser = new BrowserVisitor(site);
  browser.at = url;
  await browser.agent.get(url, { headers: { accept: 'text/html' } });
  await browser.submit(url, {});
  return browser;
}
