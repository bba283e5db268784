/** Row 5: who approves is whoever is signed in on the phone, and nobody whom a request names. */
import type { Context } from 'koa';
import type { Fixture } from '../../fixtures/provider.ts';
import type { Sent } from '../../support/agent.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { Attack, Weakness } from '../attack.ts';
import { believing } from '../weaknesses.ts';
import { ownership } from './owner.ts';
import { phoneOf, subjectOf } from './people.ts';
import { secrecy } from './secrecy.ts';
import { sessions } from './sessions.ts';

/** What somebody might have called it who takes the approver from a request. */
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

/** Where a request names somebody. */
interface Channel {
  readonly name: string;
  readonly query?: (accountId: string) => string;
  readonly send: (csrf: Record<string, string>, accountId: string) => Sent;
  /** How a server reads it that believes it. */
  readonly believed: (ctx: Context) => string | undefined;
}

const CHANNELS: readonly Channel[] = [
  {
    name: 'in a form',
    send: (fields, accountId) => ({ form: { ...all(FIELDS, accountId), ...fields } }),
    believed: (ctx) => ctx.state.fields?.accountId,
  },
  {
    name: 'in JSON',
    send: (fields, accountId) => ({ json: { ...all(FIELDS, accountId), ...fields } }),
    believed: (ctx) => ctx.state.fields?.sub,
  },
  {
    name: 'in the query',
    query: (accountId) => `?${new URLSearchParams(all(FIELDS, accountId))}`,
    send: (json) => ({ json }),
    believed: (ctx) => (typeof ctx.query.accountId === 'string' ? ctx.query.accountId : undefined),
  },
  {
    name: 'in headers',
    send: (json, accountId) => ({
      json,
      headers: { ...all(HEADERS, accountId), authorization: `Basic ${btoa(`${accountId}:`)}` },
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
    name: `a phone of bob's approves as alice, whom it names ${channel.name}`,
    without: { name: 'the session as the only source', options: believing(channel.believed) },
    run: (site: Site) => approveAs(site, channel),
  })),
  {
    row: 5,
    name: 'the browser finishes what bob has approved as alice, whom it names everywhere',
    without: { name: 'the ticket as the only source', ...believingAtFinish() },
    run: async (site) => {
      const alice = await subjectOf(site, 'alice');
      const browser = new BrowserVisitor(site);
      await browser.start();
      const bob = await phoneOf(site, 'bob');
      await bob.scan(await browser.code());
      await bob.approve();
      const url = `${browser.at}/qr/finish?${new URLSearchParams(all(FIELDS, alice))}`;
      const named = { json: all(FIELDS, alice), headers: all(HEADERS, alice) };
      const { redirectTo } = (await browser.agent.post(url, named)).json();
      return whoIfNotBob(browser, redirectTo, alice);
    },
  },
  ...secrecy,
  ...sessions,
  ...ownership,
];

async function approveAs(site: Site, channel: Channel): Promise<string | undefined> {
  const alice = await subjectOf(site, 'alice');
  const browser = new BrowserVisitor(site);
  await browser.start();
  const bob = await phoneOf(site, 'bob');
  for (const name of COOKIES) await bob.agent.jar.setCookie(`${name}=${alice}; path=/`, site.issuer);
  const code = await browser.code();
  // The same token is good for the scan and the decision.
  const csrf = await csrfAt(bob, code);
  const scanned = await named(bob, code, { channel, alice, fields: { csrf } });
  await named(bob, new URL(scanned, code).href, { channel, alice, fields: { csrf, decision: 'approve' } });
  const { redirectTo } = (await browser.finish()).json();
  return whoIfNotBob(browser, redirectTo, alice);
}

interface Named {
  readonly channel: Channel;
  readonly alice: string;
  readonly fields: Record<string, string>;
}

/** @returns where it leads */
async function named({ agent }: PhoneVisitor, url: string, { channel, alice, fields }: Named): Promise<string> {
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

async function whoIfNotBob(browser: BrowserVisitor, location: unknown, alice: string): Promise<string | undefined> {
  const { sub } = (await browser.tokens(location)).claims() ?? {};
  return sub === alice ? `a sign-in as ${sub}` : undefined;
}

function all(names: readonly string[], value: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

function believingAtFinish(): Pick<Weakness, 'options'> {
  const extend = ({ provider }: Fixture): void => {
    const result = provider.interactionResult.bind(provider);
    provider.interactionResult = (request, response, { login, ...rest }, options) => {
      const accountId = `${request.headers['x-user'] ?? login?.accountId}`;
      return result(request, response, login ? { ...rest, login: { ...login, accountId } } : rest, options);
    };
  };
  return { options: { extend } };
}
