import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { makeProvider } from '../../fixtures/provider.ts';
import { COOKIE_KEYS } from '../../fixtures/secrets.ts';
import type { Agent } from '../../support/agent.ts';
import { ownBrowsers } from '../../support/own-browsers.ts';
import { serve } from '../../support/server.ts';
import { CLIENT_ID, RP_CALLBACK, World } from '../../support/world.ts';

describe('the cookies', () => {
  it('are not available to scripts, other sites and other paths', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.finish();
      const form = { csrf: (await ownBrowsers(phone)).csrf, end: 'all' };
      await phone.agent.post(`${world.issuer}/qr/devices`, { form, headers: { accept: 'text/html' } });
      const own = [...(await cookiesOf(browser.agent)), ...(await cookiesOf(phone.agent))].filter(({ key }) =>
        key.startsWith('_qr_'),
      );
      const names = ['_qr_browser', '_qr_attempts', '_qr_memory', '_qr_seen', '_qr_sign_in', '_qr_ended'];
      expect([...new Set(own.map(({ key }) => key))]).to.have.members(names.flatMap((name) => [name, `${name}.sig`]));
      for (const cookie of own) {
        expect(cookie, cookie.key).to.include({ httpOnly: true, sameSite: 'lax' });
        expect(cookie.secure ?? false, cookie.key).to.equal(false);
        expect(cookie.path, cookie.key).not.to.equal('/');
      }
    });
  });

  it('contain nothing about the account', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.finish();
      const values = (await cookiesOf(browser.agent)).map(({ value }) => value).join();
      expect(values).not.to.match(/a11ce|alice/i);
    });
  });

  it('are limited to https if the issuer uses https, and then have a prefix that requires it', async () => {
    const running = await serve(() => makeProvider({ issuer: ISSUER, clients: CLIENTS, proxy: true }));
    const headers = BEHIND_TLS;
    try {
      const started = await start(running.origin);
      const path = new URL(started.headers.get('location') ?? '', ISSUER).pathname;
      const set = started.headers.getSetCookie();
      expectSecure(set, `/interaction/`);

      const cookie = set.map((text) => text.split(';')[0]).join('; ');
      const ticket = await fetch(`${running.origin}${path}/qr`, { headers: { ...headers, cookie } });
      expect(ticket.status).to.equal(200);
      await fetch(running.origin + path, { headers: { ...headers, cookie } });
      const { qr } = (await (
        await fetch(`${running.origin}${path}/qr`, { headers: { ...headers, cookie } })
      ).json()) as {
        qr: { url: string };
      };
      expect(qr.url.startsWith(`${ISSUER}/qr/`)).to.equal(true);
      const landed = await fetch(running.origin + new URL(qr.url).pathname, { headers, redirect: 'manual' });
      expectSecure(landed.headers.getSetCookie(), '/qr');
      expect(landed.headers.get('location')).to.match(/^https:\/\/id\.example\.com\/auth\?/);

      // Cookies are secure even without these headers.
      const plain = await fetch(running.origin + new URL(qr.url).pathname, { redirect: 'manual' });
      expectSecure(plain.headers.getSetCookie(), '/qr');
    } finally {
      await running.qr.close();
      await running.stop();
    }
  });

  it('are still read under the names without the prefix, and replaced, so that an upgrade loses no sign-in', async () => {
    const running = await serve(() => makeProvider({ issuer: ISSUER, clients: CLIENTS, proxy: true }));
    const { origin } = running;
    try {
      const started = await start(origin);
      const path = new URL(started.headers.get('location') ?? '', ISSUER).pathname;
      const [, value = ''] = /__Secure-_qr_browser=([^;]+)/.exec(started.headers.getSetCookie().join()) ?? [];
      const provided = started.headers
        .getSetCookie()
        .flatMap((text) => (text.startsWith('_') ? [`${text.split(';')[0]}`] : []));
      const others = provided.filter((text) => !text.startsWith('__Secure-'));
      const cookie = [...others, ...signCookie('_qr_browser', value)].join('; ');
      expect((await fetch(origin + path, { headers: { ...BEHIND_TLS, cookie } })).status).to.equal(200);
      expect((await fetch(origin + path, { headers: { ...BEHIND_TLS, cookie: others.join('; ') } })).status).to.equal(
        404,
      );

      const { qr } = (await (await fetch(`${origin}${path}/qr`, { headers: { ...BEHIND_TLS, cookie } })).json()) as {
        qr: { url: string };
      };
      const note = signCookie('_qr_seen', 'a note of an older release').join('; ');
      const landed = await fetch(origin + new URL(qr.url).pathname, {
        headers: { ...BEHIND_TLS, cookie: note },
        redirect: 'manual',
      });
      const set = landed.headers.getSetCookie();
      expect(
        set.filter((text) => /^_qr_seen(\.sig)?=;.*path=\/qr; expires=Thu, 01 Jan 1970/i.test(text)),
      ).to.have.length(1);
      expect(set.some((text) => /^__Secure-_qr_seen=[^;]/.test(text))).to.equal(true);
    } finally {
      await running.qr.close();
      await running.stop();
    }
  });
});

const ISSUER = 'https://id.example.com';
const CLIENTS = [
  { client_id: CLIENT_ID, client_secret: 'a secret that is not used here', redirect_uris: [RP_CALLBACK] },
];
/** The headers that a proxy adds when it terminates TLS. */
const BEHIND_TLS = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'id.example.com' };

/** Sends an authorization request, and returns the redirect to the interaction. */
function start(origin: string): Promise<Response> {
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: RP_CALLBACK,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  return fetch(`${origin}/auth?${query}`, { headers: BEHIND_TLS, redirect: 'manual' });
}

/** Returns a cookie and its signature, as Koa makes them. */
function signCookie(name: string, value: string): string[] {
  const [key = ''] = COOKIE_KEYS;
  const signature = createHmac('sha1', key).update(`${name}=${value}`).digest('base64url');
  return [`${name}=${value}`, `${name}.sig=${signature}`];
}

function expectSecure(set: string[], path: string): void {
  const own = set.filter((text) => text.startsWith('__Secure-_qr_'));
  expect(own.length).to.be.greaterThan(0);
  for (const text of own) {
    expect(text)
      .to.match(/; secure/i)
      .and.to.match(/; httponly/i)
      .and.to.match(/; samesite=lax/i);
    expect(text).to.include(text.includes('_qr_attempts') ? 'path=/auth;' : `path=${path}`);
  }
}

interface StoredCookie {
  readonly key: string;
  readonly value: string;
  readonly path?: string;
  readonly secure?: boolean;
}

async function cookiesOf({ jar }: Agent): Promise<StoredCookie[]> {
  return ((await jar.serialize())?.cookies ?? []) as StoredCookie[];
}
