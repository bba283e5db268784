import { expect } from 'chai';
import { networkTo } from '../../support/balancer.ts';
import { BrowserPerson, World, type WorldOptions } from '../../support/world.ts';
import { inFront, prove, registerSides } from '../attack.ts';
import { attacks } from './cookies.ts';

prove('our cookies', attacks);

const ISSUER = 'https://id.example.com';
/** A header that marks the request to the plain port. */
const PLAIN_PORT = 'x-plain-port';
const BEHIND_TLS: WorldOptions = { issuer: ISSUER, proxy: true };

describe('our cookies with an https issuer', () => {
  /** Returns our cookies that lack Secure, as the provider's plain port sets them behind a TLS proxy. */
  const insecure = async (options: WorldOptions, headers: Record<string, string>): Promise<string[]> => {
    const set: string[] = [];
    await World.during(options, async (world) => {
      const network = networkTo({ origin: world.origin }, ISSUER);
      const plain: typeof fetch = async (input, init) => {
        const sent = new Headers({ ...init?.headers, [PLAIN_PORT]: 'yes' });
        for (const [name, value] of Object.entries(headers)) sent.set(name, value);
        const answer = await fetch(`${input}`.replace(ISSUER, world.origin), { ...init, headers: sent });
        set.push(...answer.headers.getSetCookie());
        return answer;
      };
      const query = new URLSearchParams({
        client_id: 'test-rp',
        redirect_uri: 'http://rp.localhost:9/callback',
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      });
      const { agent } = new BrowserPerson(world, {}, network);
      const page = await agent.follow(`${ISSUER}/auth?${query}`);
      expect(page.status).to.equal(200);
      const [, code = ''] = /data-address href="([^"]+)"/.exec(page.text) ?? [];
      await plain(code, { redirect: 'manual' });
    });
    const own = set.filter((cookie) => cookie.startsWith('__Secure-_qr_'));
    expect(own.length, 'no cookie was set').to.be.greaterThan(0);
    return own.filter((cookie) => !/; ?secure/i.test(cookie));
  };
  const dropSecure = inFront(async (ctx, next) => {
    await next();
    // Drop Secure only at the plain port: elsewhere, the browser would reject a cookie whose name demands Secure.
    if (ctx.get(PLAIN_PORT) === '') return;
    const set = ctx.res.getHeader('set-cookie');
    if (Array.isArray(set))
      ctx.res.setHeader(
        'set-cookie',
        set.map((cookie) => cookie.replace(/; ?secure/i, '')),
      );
  });

  for (const [what, headers] of Object.entries({
    'the proxy sends http': { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'id.example.com' },
    'the proxy sends no header': {},
    'the proxy lists two protocols': { 'x-forwarded-proto': 'http, https' },
    'a client has forged the headers of a proxy': { 'x-forwarded-proto': 'gopher', forwarded: 'proto=http' },
  } as Record<string, Record<string, string>>)) {
    registerSides(`row 21: may be sent over plain http if ${what}`, {
      lacks: 'Secure',
      succeeds: async () => {
        expect(await insecure({ ...BEHIND_TLS, ...dropSecure }, headers)).not.to.deep.equal([]);
      },
      fails: async () => {
        expect(await insecure(BEHIND_TLS, headers)).to.deep.equal([]);
      },
    });
  }
});

describe('our cookies during a change of keys', () => {
  it('keep their path, SameSite and HttpOnly', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      world.provider.keys = ['the key from now on, which is long enough', ...(world.provider.keys as string[])];
      const answers = [
        await browser.agent.get(`${browser.at}/qr`),
        await browser.agent.get(browser.at),
        await phone.look(),
      ];
      const set = answers
        .flatMap(({ headers }) => headers.getSetCookie())
        .filter((cookie) => cookie.startsWith('_qr_'));
      expect(set, 'no cookie was set').not.to.be.empty;
      for (const cookie of set) {
        expect(cookie)
          .to.match(/; ?path=\/(interaction|qr)/i)
          .and.to.match(/; ?samesite=lax/i)
          .and.to.match(/; ?httponly/i);
      }
    });
  });
});
