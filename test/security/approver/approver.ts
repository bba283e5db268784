/**
 * Row 5 of the table in docs/security.md: the approver is the account of the phone's session, never an account that a
 * request names.
 */
import type { Context } from 'koa';
import type { Fixture } from '../../fixtures/provider.ts';
import type { RequestOptions } from '../../support/agent.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { Attack, Weakness } from '../attack.ts';
import { fieldsIn } from '../request-fields.ts';
import { believing } from '../weaknesses.ts';
import { chained } from './chained.ts';
import { ownership } from './owner.ts';
import { phoneOf, subjectOf } from './people.ts';
import { secrecy } from './secrecy.ts';
import { sessions } from './sessions.ts';

/** Names of fields that a careless server might read the approver from. */
const FIELDS = [
  'accountId',
  'account_id',
  'account',
  'sub',
  'subject',
  'approver',
  'user',
  'userId',
  'username',
  'login',
];
const HEADERS = ['x-user', 'x-user-id', 'x-account-id', 'x-forwarded-user', 'x-remote-user', 'remote-user', 'x-sub'];
const COOKIES = ['accountId', 'sub', 'user', '_account', 'approver', 'session'];

/** A part of a request that can name an account. */
interface Channel {
  readonly name: string;
  readonly query?: (accountId: string) => string;
  readonly send: (csrf: Record<string, string>, accountId: string) => RequestOptions;
  /** Reads the account from this part of the request, as a server that trusts it would. */
  readonly believed: (ctx: Context) => string | undefined;
}

const CHANNELS: readonly Channel[] = [
  {
    name: 'in a form',
    send: (fields, accountId) => ({ form: { ...withValue(FIELDS, accountId), ...fields } }),
    believed: (ctx) => text(fieldsIn(ctx).accountId),
  },
  {
    name: 'in JSON',
    send: (fields, accountId) => ({ json: { ...withValue(FIELDS, accountId), ...fields } }),
    believed: (ctx) => text(fieldsIn(ctx).sub),
  },
  {
    name: 'in the query',
    query: (accountId) => `?${new URLSearchParams(withValue(FIELDS, accountId))}`,
    send: (json) => ({ json }),
    believed: (ctx) => text(ctx.query.accountId),
  },
  {
    name: 'in headers',
    send: (json, accountId) => ({
      json,
      headers: { ...withValue(HEADERS, accountId), authorization: `Basic ${btoa(`${accountId}:`)}` },
    }),
    believed: (ctx) => ctx.get('x-user') || undefined,
  },
  {
    name: 'in cookies of its own making',
    send: (json) => ({ json }),
    believed: (ctx) => ctx.cookies.get('accountId', { signed: false }),
  },
];

export const attacks: Attack[] = [
  ...CHANNELS.map((channel) => ({
    row: 5,
    name: `bob's phone approves as alice by naming her ${channel.name}`,
    without: { defence: 'the session as the only source of the approver', options: believing(channel.believed) },
    run: (site: Site) => approveAs(site, channel),
  })),
  {
    row: 5,
    name: "the browser finishes bob's approval as alice by naming her in each part of the request",
    without: { defence: 'the ticket as the only source of the approver', ...believingAtFinish() },
    run: async (site) => {
      const alice = await subjectOf(site, 'alice');
      const browser = new BrowserVisitor(site);
      await browser.start();
      const bob = await phoneOf(site, 'bob');
      await bob.scan(await browser.code());
      await bob.approve();
      const url = `${browser.at}/qr/finish?${new URLSearchParams(withValue(FIELDS, alice))}`;
      const named = { json: withValue(FIELDS, alice), headers: withValue(HEADERS, alice) };
      const { redirectTo } = (await browser.agent.post(url, named)).json();
      return signInAsAlice(browser, redirectTo, alice);
    },
  },
  ...secrecy,
  ...sessions,
  ...chained,
  ...ownership,
];

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

async function approveAs(site: Site, channel: Channel): Promise<string | undefined> {
  const alice = await subjectOf(site, 'alice');
  const browser = new BrowserVisitor(site);
  await browser.start();
  const bob = await phoneOf(site, 'bob');
  for (const name of COOKIES) await bob.agent.jar.setCookie(`${name}=${alice}; path=/`, site.issuer);
  const code = await browser.code();
  // The same token is good for the scan and the decision.
  const csrf = await csrfAt(bob, code);
  const scanned = await postNaming(bob, code, { channel, alice, fields: { csrf } });
  await postNaming(bob, new URL(scanned, code).href, { channel, alice, fields: { csrf, decision: 'approve' } });
  const { redirectTo } = (await browser.finish()).json();
  return signInAsAlice(browser, redirectTo, alice);
}

interface NamedRequest {
  readonly channel: Channel;
  readonly alice: string;
  readonly fields: Record<string, string>;
}

/** Posts the fields and names alice in this part of the request. @returns the address to which the answer leads */
async function postNaming(
  { agent }: PhoneVisitor,
  url: string,
  { channel, alice, fields }: NamedRequest,
): Promise<string> {
  const { headers, ...sent } = channel.send(fields, alice);
  const accept = sent.form ? 'text/html' : 'application/json';
  const answer = await agent.post(url + (channel.query?.(alice) ?? ''), { ...sent, headers: { ...headers, accept } });
  return sent.form ? answer.location : `${answer.json().redirectTo ?? ''}`;
}

async function csrfAt({ agent }: PhoneVisitor, url: string): Promise<string> {
  const answer = await agent.get(url, { headers: { accept: 'application/json' } });
  if (answer.status !== 200) throw new Error(`bob does not get to ${url}: ${answer.text}`);
  return `${answer.json().csrf}`;
}

async function signInAsAlice(browser: BrowserVisitor, location: unknown, alice: string): Promise<string | undefined> {
  const { sub } = (await browser.tokens(location)).claims() ?? {};
  return sub === alice ? `a sign-in as ${sub}` : undefined;
}

function withValue(names: readonly string[], value: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

function believingAtFinish(): Pick<Weakness, 'options'> {
  const extend = ({ provider }: Fixture): void => {
    const result = provider.interactionResult.bind(provider);
    provider.interactionResult = (request, response, { login, ...rest }, options) => {
      const accountId = `${request.headers['x-user'] ?? login?.accountId}`;
      if (login === undefined) return result(request, response, rest, options);
      // Leave out the note of the approval, because the server checks it again when the browser resumes.
      const believed = { ...login, accountId, browser: undefined };
      return result(request, response, { ...rest, login: believed }, options);
    };
  };
  return { options: { extend } };
}
