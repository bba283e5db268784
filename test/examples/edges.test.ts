import { mock } from 'node:test';
import { expect } from 'chai';
import { makeInitialAccessToken } from '../../examples/provider.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { sendRaw } from '../security/hosts/visits.ts';
import { browserAt, type TextFields } from '../security/meeting.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { type RunningServer, serve } from '../support/server.ts';
import type { BrowserVisitor, Site } from '../support/visitors.ts';
import { makeExampleProvider } from './example-setting.ts';

const HOUR_MS = 3_600_000;
const APP = 'https://app.example';
const PUBLIC = { client_secret: undefined, token_endpoint_auth_method: 'none' } as const;

const CLIENTS = [
  testClient(CLIENT_ID),
  testClient('in-a-browser', { ...PUBLIC, redirect_uris: [`${APP}/callback`] }),
  testClient('on-a-server', { redirect_uris: [`${APP}/callback`] }),
  testClient('native', {
    ...PUBLIC,
    application_type: 'native',
    redirect_uris: ['example.app:/callback', 'http://localhost/callback', `${APP}/callback`],
  }),
];

describe('the example', () => {
  let example: RunningServer & Awaited<ReturnType<typeof makeExampleProvider>>;
  let site: Site;

  beforeEach(async () => {
    example = await serve((issuer) => {
      site = { issuer, client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK } };
      return makeExampleProvider({ issuer, clients: CLIENTS });
    });
  });

  afterEach(() => example?.stop());

  const typePassword = ({ agent, at }: BrowserVisitor, password: string, headers: TextFields = {}): Promise<Answer> =>
    agent.post(`${at}/password`, { form: { name: 'alice', password }, headers });

  describe('on its password page', () => {
    it('refuses a form that a page of another site has sent', async () => {
      const browser = await browserAt(site);
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site', origin: site.issuer },
      ] satisfies TextFields[]) {
        expect((await typePassword(browser, 'wonderland', headers)).status, JSON.stringify(headers)).to.equal(403);
      }
      // A proxy that sends `Referrer-Policy: no-referrer` makes the browser hide the origin.
      const own = { origin: 'null', 'sec-fetch-site': 'same-origin' };
      expect((await typePassword(browser, 'wonderland', own)).status).to.equal(303);
    });

    it('limits wrong passwords from one address, even simultaneous ones, and says how long to wait', async () => {
      const browser = await browserAt(site);
      const tries = await Promise.all(Array.from({ length: 30 }, () => typePassword(browser, 'guess')));
      expect(tries.filter(({ status }) => status === 401)).to.have.length(20);
      const refused = await typePassword(browser, 'wonderland');
      expect(refused.status).to.equal(429);
      expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
      expect(refused.text).to.include('That was tried too often');
    });

    it('does not count right passwords', async () => {
      for (let turn = 0; turn < 25; turn++) {
        expect((await typePassword(await browserAt(site), 'wonderland')).status).to.equal(303);
      }
    });

    it('redirects to the issuer, even if the first request of the sign-in named another host', async () => {
      const query = new URLSearchParams({ client_id: CLIENT_ID, response_type: 'code', scope: 'openid' });
      query.set('code_challenge', 'a'.repeat(43));
      query.set('code_challenge_method', 'S256');
      const begun = await sendRaw(site, `/auth?${query}`, { host: 'evil.example' });
      const { pathname } = new URL(`${begun.headers.location}`, site.issuer);
      const agent = new Agent();
      for (const cookie of begun.headers['set-cookie'] ?? []) {
        await agent.jar.setCookie(cookie, `${site.issuer}${pathname}`);
      }
      const form = { name: 'alice', password: 'wonderland' };
      const answer = await agent.post(`${site.issuer}${pathname}/password`, { form });
      expect(answer.status).to.equal(303);
      expect(new URL(answer.location, site.issuer).origin).to.equal(site.issuer);
    });
  });

  it('registers RPs with its initial access token for a day', async () => {
    const token = await makeInitialAccessToken(example.provider);
    const register = (): Promise<Answer> =>
      new Agent().post(`${site.issuer}/reg`, {
        json: { redirect_uris: [RP_CALLBACK] },
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await register()).status).to.equal(201);
    const later = Date.now() + 25 * HOUR_MS;
    mock.method(Date, 'now', () => later);
    try {
      expect((await register()).status).to.equal(401);
    } finally {
      mock.restoreAll();
    }
  });

  it('allows token requests across origins only to apps in a browser, from their own origin', async () => {
    /** Requests tokens as this client, from a page with this origin. @returns the origin that may read the answer */
    const readableBy = async (clientId: string, origin: string): Promise<string | null> => {
      const form = { grant_type: 'authorization_code', code: 'x', client_id: clientId };
      const authorization = `Basic ${Buffer.from(`on-a-server:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
      const headers = { origin, ...(clientId === 'on-a-server' && { authorization }) };
      const { headers: answered } = await new Agent().post(`${site.issuer}/token`, { form, headers });
      return answered.get('access-control-allow-origin');
    };
    expect(await readableBy('in-a-browser', APP)).to.equal(APP);
    expect(await readableBy('in-a-browser', 'https://evil.example')).to.equal(null);
    expect(await readableBy('on-a-server', APP)).to.equal(null);
    for (const origin of ['null', 'http://localhost', APP]) expect(await readableBy('native', origin)).to.equal(null);
  });
});
