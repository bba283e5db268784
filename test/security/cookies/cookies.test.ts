import { expect } from 'chai';
import type { Agent } from '../../support/agent.ts';
import { networkTo } from '../../support/balancer.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';
import { inFront, prove, registerSides } from '../attack.ts';
import { attacks } from './cookies.ts';

prove('attacks on our cookies', attacks);

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
  it('are accepted, and are not sent again: Koa would send them without their path and SameSite', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      world.provider.keys = ['the key from now on, which is long enough', ...(world.provider.keys as string[])];
      const answers = [
        await browser.agent.get(`${browser.at}/qr`),
        await browser.agent.get(browser.at),
        await phone.look(),
      ];
      for (const { status, text } of answers) expect(status, text).to.equal(200);
      const sent = answers
        .flatMap(({ headers }) => headers.getSetCookie())
        .filter((cookie) => cookie.startsWith('_qr_'));
      expect(sent).to.deep.equal([]);
    });
  });
});

describe('the note that an action is decided on the device that shows it', () => {
  /** The attacker's browser shows an action of alice, who approves it with a phone that has these cookies as well. */
  const decideWith = async (plant: (phone: Agent, cookie: string) => Promise<unknown>): Promise<unknown> => {
    let decided: unknown;
    await World.during({ ...BEHIND_TLS, qrLogin: { assess: () => 'check code' } }, async (world) => {
      const network = networkTo({ origin: world.origin }, ISSUER);
      const phone = await new PhonePerson(world, {}, network).signIn();
      const attacker = new BrowserPerson(world, {}, network);
      const approval = await world.qr.requestApproval({ accountId: 'a11ce', title: 'Pay €12.50' });
      await attacker.agent.get(approval.url, { headers: { accept: 'text/html' } });
      await attacker.agent.post(approval.url, { form: { here: 'yes' } });
      const cookies = (await attacker.agent.jar.getCookies(ISSUER)).filter(({ key }) => key.includes('_qr_action'));
      expect(cookies).to.have.length(2);
      for (const { key, value } of cookies) {
        for (const name of [key, key.replace('__Host-', '__Secure-'), key.replace('__Host-', '')])
          await plant(phone.agent, `${name}=${value}; Path=/; Secure`);
      }
      attacker.at = approval.url;
      await phone.scan(await attacker.code());
      decided = (await phone.approve()).json();
      await approval.cancel();
    });
    return decided;
  };

  it('cannot be planted from another subdomain, so that the check code is still demanded', async () => {
    const decided = await decideWith(({ jar }, cookie) =>
      jar.setCookie(`${cookie}; Domain=example.com`, 'https://evil.example.com/'),
    );
    expect(decided).to.include({ state: 'approved' }).and.to.have.property('checkCode');
  });

  it('makes the check code unnecessary if the host itself has set it on the phone', async () => {
    expect(await decideWith(({ jar }, cookie) => jar.setCookie(cookie, ISSUER))).not.to.have.property('checkCode');
  });
});
