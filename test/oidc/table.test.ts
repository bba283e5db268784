/**
 * Runs each row of the tables in `table.ts` over HTTP. The RP is openid-client. The browser and the phone load pages
 * and send forms as real ones do.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import parseBody from 'co-body';
import Koa, { type Context, type Next } from 'koa';
import type { Configuration, Provider } from 'oidc-provider';
import * as client from 'openid-client';
import type { QrLoginOptions } from '../../src/index.ts';
import { ACCOUNT_CLIENT } from '../fixtures/account-page.ts';
import type { Agent, Answer } from '../support/agent.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { BrowserPerson, CLIENT_ID, PASSWORDS, PhonePerson, RP_CALLBACK, testClient, World } from '../support/world.ts';
import type { Act, App, Asks, Name, Observation, Row, Setup, Visit } from './table.ts';
import * as table from './table.ts';
import { DOCUMENT, withTable } from './write-table.ts';

const ACCOUNTS: Readonly<Record<Name, string>> = { alice: 'a11ce', bob: 'b0b' };
const NAMES: readonly Name[] = ['alice', 'bob'];
const CLIENTS: Readonly<Record<App, string>> = {
  app: CLIENT_ID,
  'pairwise-app': 'pairwise-app',
  'default-max-age-app': 'default-max-age-app',
  'logout-app': 'logout-app',
  'far-reaching-app': 'far-reaching-app',
};

const SETUPS: Readonly<Record<Setup, Partial<QrLoginOptions>>> = {
  usual: {},
  'consent: phone': { consent: () => 'phone' },
  'consent: implied': { consent: () => 'implied' },
  'assurance: less': { assurance: ({ acr }) => (acr === undefined ? {} : { acr: table.PASSWORD, amr: ['pwd'] }) },
  'signIn: never again': {
    signIn: (_ctx, { fresh }) => (fresh ? undefined : '/account'),
  },
};

describe('the result of a sign-in for the RP', () => {
  const worlds = new Map<Setup, World>();
  let receiver: RunningServer & LogoutReceiver;

  before(async () => {
    receiver = await serve(makeLogoutReceiver);
  });

  after(async () => {
    for (const world of worlds.values()) await world.stop();
    await receiver?.stop();
  });

  const worldOf = async (setup: Setup): Promise<World> => {
    const world = worlds.get(setup) ?? (await startWorld(setup, receiver.origin));
    worlds.set(setup, world);
    return world;
  };

  for (const { title, rows } of table.TABLE) {
    describe(title, () => {
      for (const row of rows) {
        it(row.what, async () => {
          const stage = new Stage(await worldOf(row.on ?? 'usual'), receiver.loggedOut);
          for (const visit of row.before ?? []) expect((await stage.play(visit)).answer).to.equal('code');
          expect(await stage.play(row)).to.deep.equal(row.seen);
        });
      }
    });
  }

  it('is the same as in docs/oidc.md', () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    expect(text === withTable(text), 'run: node --import ./scripts/typescript.mjs test/oidc/write-table.ts').to.equal(
      true,
    );
  });

  it('has a unique title for each row', () => {
    const titles = table.TABLE.flatMap(({ title, rows }) => rows.map(({ what }: Row) => `${title}: ${what}`));
    expect(new Set(titles).size).to.equal(titles.length);
  });
});

/** Runs the visits of a row in one browser and collects the results. */
class Stage {
  readonly #world: World;
  readonly #browser: BrowserPerson;
  readonly #browserPages: string[] = [];
  readonly #loggedOut: string[];
  readonly #sessionTimes: number[] = [];

  constructor(world: World, loggedOut: string[]) {
    this.#world = world;
    this.#browser = new BrowserPerson(world, {}, recordPages(this.#browserPages));
    this.#loggedOut = loggedOut;
  }

  async play({ app = 'app', asks = {}, phone: session = table.USUAL_PHONE, acts }: Visit): Promise<Observation> {
    const browser = this.#browser;
    const left = [...acts];
    const startedAt = Math.floor(Date.now() / 1000);
    const isKept = !acts.some((act) => act.startsWith('signs in'));
    const phone = await HandsOnPhone.with(this.#world, session, isKept);
    if (phone.signedInAt !== undefined) this.#sessionTimes.push(phone.signedInAt);
    this.#loggedOut.length = this.#browserPages.length = 0;
    browser.clientId = CLIENTS[app];
    const parameters = await parametersOf(this.#world, app, asks);

    let answer = await browser.start(parameters);
    const qrPage = isQrPage(answer) ? answer.text : undefined;
    if (qrPage !== undefined) answer = await browser.goOn(await this.#signIn(phone, left));
    answer = await settle(browser.agent, answer);
    if (!answer.headers.has('location')) answer = await this.#consent(answer, left);
    expect(left, `acts that were not needed, at ${answer.location}`).to.deep.equal([]);

    const outcome = await this.#outcome(new URL(answer.location), asks, startedAt);
    const { accountId } = (await this.#world.sessionOf(browser.agent)) ?? {};
    return {
      ...outcome,
      unmet: phone.unmet.join(', '),
      lists: phone.lists,
      hint: /Expected account: ([^<]*)</.exec(qrPage ?? '')?.[1] ?? '',
      language: [...new Set([...languages(qrPage), ...languages(phone.confirmPage)])].join(' and '),
      session: accountId === undefined ? '' : await lifeOfSession(this.#world, browser.agent),
      signedIn: nameOf(accountId) ?? 'no account',
      loggedOut: this.#loggedOut.join(', '),
      pages: `${this.#browserPages.length} / ${phone.pages.length}`,
    };
  }

  /** Signs in from the QR page on. @returns the URL where the browser goes next */
  async #signIn(phone: HandsOnPhone, left: Act[]): Promise<string> {
    const { agent, at } = this.#browser;
    const post = (path: string, json: Record<string, string> = {}): Promise<Answer> =>
      agent.post(`${at}/${path}`, { json });
    if (left[0] === 'cancels') {
      left.shift();
      return String((await post('cancel')).json().redirectTo);
    }
    await phone.decide(await this.#browser.code(), left);
    let finished = await post('qr/finish');
    if (finished.status === 409) {
      expect(finished.json().error).to.equal('account_switch');
      expect(await this.#browser.ticket()).to.include({ state: 'approved', switchAccount: true });
      finished = await (left.shift() === 'agrees to the switch'
        ? post('qr/finish', { switchAccount: 'yes' })
        : post('cancel'));
    }
    expect(finished.status).to.equal(200);
    return String(finished.json().redirectTo);
  }

  async #consent(page: Answer, left: Act[]): Promise<Answer> {
    expect(page.text).to.include(`action="${page.url.pathname}/consent"`);
    const act = left.shift();
    expect(act, 'on the consent page').to.be.oneOf(['allows', 'refuses']);
    const path = act === 'allows' ? 'consent' : 'cancel';
    const { redirectTo } = (await this.#browser.agent.post(`${page.url}/${path}`, { json: {} })).json();
    return this.#browser.goOn(String(redirectTo));
  }

  /** Returns the RP's view of the authorization response. */
  async #outcome(
    arrived: URL,
    { parameters = {}, userinfo = [] }: Asks,
    startedAt: number,
  ): Promise<Pick<Observation, 'answer' | 'authTime' | 'acr' | 'amr' | 'sub' | 'granted'>> {
    const { max_age: maxAge = '0', resource } = parameters;
    const tokens = await this.#browser
      .tokens(arrived, {
        ...(maxAge !== '0' && { maxAge: Number(maxAge) }),
        ...(resource !== undefined && { resource }),
      })
      .catch((error: unknown) => error);
    if (tokens instanceof client.AuthorizationResponseError) {
      return { answer: tokens.error, authTime: '', acr: '', amr: '', sub: '', granted: '' };
    }
    if (tokens instanceof Error) throw tokens;
    const { access_token, scope, authorization_details, claims } = tokens as Tokens;
    const { sub = '', auth_time: authTime = 0, acr = '', amr = [] }: Partial<client.IDToken> = claims() ?? {};
    const configuration = await this.#world.configuration(this.#browser.clientId);
    const claimsOfUserinfo = resource === undefined ? await client.fetchUserInfo(configuration, access_token, sub) : {};
    const more = [
      ...(authorization_details ?? []).map(({ type }) => type),
      ...userinfo.filter((claim) => claim in claimsOfUserinfo),
    ];
    return {
      answer: 'code',
      authTime: this.#sessionTimes.includes(authTime)
        ? "the phone's"
        : authTime >= startedAt
          ? 'during the request'
          : '',
      acr: String(acr).replace('urn:example:acr:', ''),
      amr: Array.isArray(amr) ? amr.join(' ') : '',
      sub: subjectName(sub),
      granted: [scope, ...more].join(' + '),
    };
  }
}

type Tokens = Awaited<ReturnType<BrowserPerson['tokens']>>;

/** Only the confirm page has a button to deny or to decline an unmet demand. */
const CONFIRM = /name="decision" value="(?:deny|unable)"/;

/** A user of the phone's pages without scripts. */
class HandsOnPhone {
  readonly person: PhonePerson;
  readonly pages: string[];
  #name: Name;
  readonly unmet: string[] = [];
  signedInAt: number | undefined;
  lists = '';
  confirmPage: string | undefined;

  private constructor(person: PhonePerson, pages: string[], name: Name) {
    this.person = person;
    this.pages = pages;
    this.#name = name;
  }

  /**
   * @param isKept true if the user does not sign in again on this phone, so that it may share its session with the
   * phone of another row
   */
  static async with(world: World, session: table.PhoneSession, isKept: boolean): Promise<HandsOnPhone> {
    const { of, since, strong = false } = session;
    const pages: string[] = [];
    const phone = new HandsOnPhone(new PhonePerson(world, {}, recordPages(pages)), pages, of);
    if (since !== 'not signed in') {
      if (isKept) await phone.#takeSession(strong);
      else await phone.#signIn(strong);
      // Set the sign-in to five seconds ago, because `auth_time` has whole seconds and must differ from the time of the
      // request.
      phone.signedInAt = await phone.person.backdateSignIn(since === 'just now' ? 5 : 3600);
      pages.length = 0;
    }
    return phone;
  }

  async #signIn(strongly: boolean): Promise<void> {
    const page = await this.#open(`${this.person.world.issuer}/account`);
    await this.#enter(page, this.#name, strongly);
  }

  /** Copies the cookies of a phone that has signed in before. */
  async #takeSession(strongly: boolean): Promise<void> {
    const { world, agent } = this.person;
    const donor = await once(world, `a phone of ${this.#name}, ${strongly}`, async () => {
      const phone = new HandsOnPhone(new PhonePerson(world), [], this.#name);
      await phone.#signIn(strongly);
      return phone.person.agent;
    });
    for (const cookie of await donor.jar.getCookies(world.issuer)) await agent.jar.setCookie(cookie, world.issuer);
  }

  /** Scans the code and performs the acts of the phone. */
  async decide(code: string, left: Act[]): Promise<void> {
    let page = await this.#open(code);
    while (page.text.includes('name="password"') || CONFIRM.test(page.text)) {
      const act = left.shift();
      if (CONFIRM.test(page.text)) {
        const decision = await this.#confirm(page, act);
        if (decision !== undefined) {
          page = await submit(this.person.agent, page, decision);
          continue;
        }
        const { signInAgain } = (await this.person.look()).json();
        expect(signInAgain, `a sign-in URL for a user who ${act}`).to.be.a('string');
        page = await this.#open(String(signInAgain));
      }
      expect(act, 'on the password page').to.be.oneOf(['signs in', 'signs in strongly', 'signs in as bob']);
      if (act === 'signs in as bob') this.#name = 'bob';
      page = await this.#enter(page, this.#name, act === 'signs in strongly');
    }
    expect((await this.person.look()).json().state).to.be.oneOf(['approved', 'denied']);
  }

  /** @returns the form to send if the act is a decision, otherwise undefined */
  async #confirm(page: Answer, act: Act | undefined): Promise<Record<string, string> | undefined> {
    this.person.at = page.url.href;
    const { unmet, signInAgain } = (await this.person.look()).json();
    if (unmet !== undefined)
      this.unmet.push(signInAgain === undefined ? `${unmet} (no sign-in offered)` : String(unmet));
    this.confirmPage = page.text;
    this.lists = [...page.text.matchAll(/<li>(.*?)<\/li>/g)]
      .map(([, item = '']) => item.replace(/<[^>]*>/g, ''))
      .join(', ');
    const decisions: Partial<Record<Act, Record<string, string>>> = {
      approves: { decision: 'approve' },
      'approves and stays signed in': { decision: 'approve', remember: 'yes' },
      denies: { decision: 'deny' },
      'gives up': { decision: 'unable' },
    };
    const decision = act && decisions[act];
    if (decision !== undefined) expect(page.text).to.include(`value="${decision.decision}"`);
    return decision;
  }

  async #open(address: string): Promise<Answer> {
    const { agent, world } = this.person;
    return settle(agent, await agent.follow(new URL(address, world.origin)));
  }

  async #enter(page: Answer, name: Name, strongly: boolean): Promise<Answer> {
    const url = new URL(page.url.href.replace(/\/(password|strong)$/, strongly ? '/strong' : '/password'));
    const { agent } = this.person;
    return settle(agent, await submit(agent, { ...page, url }, { name, password: PASSWORDS[name] }));
  }
}

/** Matches a page that the user does not see, because its script submits it immediately. */
const SENDS_ITSELF = /document\.forms\[0\]\.submit\(\)|<form[^>]* data-scan>/;

/** Returns a `fetch` that records the pages that the user sees. */
function recordPages(pages: string[]): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const isPage = response.headers.get('content-type')?.startsWith('text/html') && !response.headers.has('location');
    const text = isPage ? await response.clone().text() : '';
    if (isPage && !SENDS_ITSELF.test(text)) pages.push(text);
    return response;
  };
}

/** Submits self-submitting pages until there is another page. */
async function settle(agent: Agent, page: Answer): Promise<Answer> {
  let at = page;
  while (SENDS_ITSELF.test(at.text)) at = await submit(agent, at);
  return at;
}

/** Submits the form of a page and follows redirects up to the RP. */
async function submit(agent: Agent, page: Answer, fields: Record<string, string> = {}): Promise<Answer> {
  const [, action = ''] = /<form[^>]* action="([^"]*)"/.exec(page.text) ?? [];
  const hidden = [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  const form = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields };
  const answer = await agent.post(new URL(action, page.url), { form, headers: { accept: 'text/html' } });
  if (!answer.headers.has('location')) return answer;
  const next = new URL(answer.location, page.url);
  if (next.href.startsWith(RP_CALLBACK)) return answer;
  return agent.follow(next, (url) => url.href.startsWith(RP_CALLBACK));
}

const isQrPage = ({ text }: Answer): boolean => text.includes('data-qr-login');

const languages = (page = ''): string[] => [...page.matchAll(/<html lang="([\w-]+)"/g)].map(([, tag]) => `${tag}`);

async function lifeOfSession({ issuer }: World, { jar }: Agent): Promise<Observation['session']> {
  const cookie = (await jar.getCookies(issuer)).find(({ key }) => key === '_session');
  return cookie?.expires instanceof Date ? 'kept' : 'until the browser closes';
}

/** Returns the name of the account with this id. */
function nameOf(id: string | undefined): Name | undefined {
  return NAMES.find((name) => ACCOUNTS[name] === id);
}

function subjectName(sub: string): string {
  const pairwise = NAMES.find((name) => pairwiseSubject(ACCOUNTS[name]) === sub);
  return pairwise === undefined ? (nameOf(sub) ?? sub) : `${pairwise}, pairwise`;
}

function pairwiseSubject(accountId: string): string {
  return createHash('sha256').update(`to a pairwise client, ${accountId}`).digest('hex');
}

async function parametersOf(world: World, app: App, asks: Asks): Promise<Record<string, string>> {
  const { parameters = {}, hint, sub, acr, userinfo = [] } = asks;
  const idToken = {
    ...(acr && { acr }),
    ...(sub && { sub: { value: (await knownTo(world, app, sub)).sub } }),
  };
  const requested = Object.fromEntries(userinfo.map((claim) => [claim, null]));
  const claims = {
    ...(Object.keys(idToken).length > 0 && { id_token: idToken }),
    ...(userinfo.length > 0 && { userinfo: requested }),
  };
  return {
    ...parameters,
    ...(hint && { id_token_hint: (await knownTo(world, app, hint)).idToken }),
    ...(Object.keys(claims).length > 0 && { claims: JSON.stringify(claims) }),
  };
}

interface IdTokenFacts {
  readonly idToken: string;
  readonly sub: string;
}

/** Returns the ID token and the subject that this RP got when the account signed in with another browser. */
function knownTo(world: World, app: App, name: Name): Promise<IdTokenFacts> {
  return once(world, `${name} at ${app}`, () => learn(world, app, name));
}

async function learn(world: World, app: App, name: Name): Promise<IdTokenFacts> {
  const phone = await new PhonePerson(world).signIn(name);
  const browser = new BrowserPerson(world);
  browser.clientId = CLIENTS[app];
  await browser.start();
  await phone.scan(await browser.code());
  await phone.approve();
  const tokens = await browser.tokens(await browser.arrive());
  const { sub } = tokens.claims() ?? {};
  if (sub === undefined || tokens.id_token === undefined) throw new Error('there is no ID token');
  return { idToken: tokens.id_token, sub };
}

const sharedValues = new WeakMap<World, Map<string, Promise<unknown>>>();

/** Makes a value once for each world. The rows share the value and do not change it. */
function once<T>(world: World, what: string, make: () => Promise<T>): Promise<T> {
  const ofWorld = sharedValues.get(world) ?? new Map<string, Promise<unknown>>();
  sharedValues.set(world, ofWorld);
  const one = (ofWorld.get(what) as Promise<T> | undefined) ?? make();
  ofWorld.set(what, one);
  return one;
}

async function startWorld(setup: Setup, receiver: string): Promise<World> {
  return World.start({
    clients: [
      testClient('pairwise-app', { client_name: 'Test app', subject_type: 'pairwise' }),
      testClient('default-max-age-app', { client_name: 'Test app', default_max_age: 600 }),
      testClient('far-reaching-app', {
        client_name: 'Test app',
        grant_types: ['authorization_code', 'refresh_token'],
        authorization_details_types: ['payment'],
      }),
      testClient('logout-app', { client_name: 'Test app', backchannel_logout_uri: `${receiver}/logout` }),
    ],
    configuration: CONFIGURATION,
    extend: ({ provider }) => provider.use((ctx, next) => strongSignIn(provider, ctx, next)),
    qrLogin: {
      // A phone that must sign in with the stronger acr gets the page for it.
      loginPage: (_ctx, { params }) => {
        if (params.client_id !== ACCOUNT_CLIENT) return undefined;
        return { path: String(params.acr_values ?? '').includes(table.STRONG) ? 'strong' : 'password' };
      },
      ...SETUPS[setup],
    },
  });
}

/** Serves a sign-in page with a stronger acr than the password page. */
async function strongSignIn(provider: Provider, ctx: Context, next: Next): Promise<void> {
  if (!/^\/interaction\/[\w-]+\/strong$/.test(ctx.path)) return next();
  if (ctx.method === 'GET') {
    ctx.body =
      '<!DOCTYPE html><form method="post"><input name="name"><input name="password"><input name="code"></form>';
    return;
  }
  const { name } = await parseBody.form(ctx);
  const accountId = ACCOUNTS[name === 'bob' ? 'bob' : 'alice'];
  const login = { accountId, acr: table.STRONG, amr: ['pwd', 'otp'] };
  ctx.status = 303;
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login }, { mergeWithLastSubmission: false }));
}

const CONFIGURATION: Configuration = {
  acrValues: [table.PASSWORD, table.STRONG],
  subjectTypes: ['public', 'pairwise'],
  pairwiseIdentifier: (_ctx, accountId) => pairwiseSubject(accountId),
  // The provider's own `fetch` refuses loopback addresses.
  fetch: (input, init = {}) => {
    const { method = 'GET', headers = {}, body = null } = init;
    return fetch(input, { method, headers, body });
  },
  features: {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: true },
    backchannelLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'read write', audience: table.API }),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { payment: { validate: () => undefined } },
      authorizationDetailsForGrantSource: (ctx) => JSON.parse(String(ctx.oidc.params?.authorization_details)),
      authorizationDetailsForAccessToken: (_ctx, _token, source) => source?.rar,
    },
  },
};

interface LogoutReceiver {
  readonly app: Koa;
  /** The accounts in the logout tokens, in the order of arrival. */
  readonly loggedOut: string[];
}

/** The RP's endpoint for back-channel logout (OpenID Connect Back-Channel Logout 1.0, section 2.5). */
function makeLogoutReceiver(): LogoutReceiver {
  const loggedOut: string[] = [];
  const app = new Koa();
  app.use(async (ctx) => {
    const { logout_token: token } = await parseBody.form(ctx);
    const [, payload = ''] = String(token).split('.');
    const { sub, events } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if ('http://schemas.openid.net/event/backchannel-logout' in events) loggedOut.push(nameOf(sub) ?? String(sub));
    ctx.status = 200;
  });
  return { app, loggedOut };
}
