/** Registers the tests that every host must pass, at any path of the provider. */
import { expect } from 'chai';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import type { VisitedHost } from './hosts.ts';

/** Starts the host before the tests of this `describe`, and stops it after them. */
export function useHost(start: () => Promise<VisitedHost>): () => VisitedHost {
  let host: VisitedHost | undefined;
  before(async () => {
    host = await start();
  });
  after(() => host?.stop());
  return () => {
    if (host === undefined) throw new Error('the host is started in a before hook');
    return host;
  };
}

export function testHost(name: string, path: string, host: () => VisitedHost): void {
  const base = path === '/' ? '' : path;

  it('signs a user in with a phone, and shows every step on the event stream', async () => {
    const browser = new BrowserVisitor(host(), host().network);
    const phone = new PhoneVisitor(host(), host().network);
    expect((await browser.start()).text).to.include('data-code><svg');
    const events = await browser.events();
    const { qr } = await events.ticket('waiting');
    const { url: code } = qr as { url: string };
    expect(code.startsWith(`${host().issuer}/qr/`)).to.equal(true);

    const landing = await phone.signInAt(code);
    expect(landing.url.href).to.equal(code);
    await phone.scan(code);
    await events.ticket('scanned');
    const { state, checkCode } = await phone.approve();
    expect(state).to.equal('approved');
    // All clients have a loopback address, which proves nothing about their network, so the check code is required.
    expect((await events.ticket('approved')).checkCode).to.equal(true);
    events.close();

    const finished = await browser.finish(`${checkCode}`);
    expect(finished.status).to.equal(200);
    const claims = (await browser.tokens(finished.json().redirectTo)).claims();
    expect(claims).to.include({ iss: host().issuer, sub: 'a11ce' });
    expect(claims?.amr).to.have.members(['pwd', 'mca', 'user']);
  });

  it('passes the body of a form to the password page', async () => {
    const browser = new BrowserVisitor(host(), host().network);
    await browser.start();
    const location = await browser.signInWithPassword('bob');
    expect(location.startsWith(`${host().issuer}/auth/`)).to.equal(true);
    expect((await browser.tokens(location)).claims()).to.include({ iss: host().issuer, sub: 'b0b' });
  });

  it("keeps the host's own route", async () => {
    const answer = await host().network(`${host().origin}/hello`);
    expect(answer.status).to.equal(200);
    expect(await answer.text()).to.equal(`Hello from ${name}`);
  });

  it("announces the provider's endpoints below the issuer", async () => {
    const metadata = (await new BrowserVisitor(host(), host().network).configuration()).serverMetadata();
    const endpoints = Object.entries(metadata).filter(([key]) => /_(endpoint|uri)$/.test(key));
    expect(endpoints.map(([key]) => key)).to.include.members(['authorization_endpoint', 'token_endpoint', 'jwks_uri']);
    for (const [key, url] of endpoints) expect(`${url}`.startsWith(`${host().issuer}/`), key).to.equal(true);
  });

  it('serves the files of its pages', async () => {
    const page = await new BrowserVisitor(host(), host().network).start();
    const files = [...page.text.matchAll(/(?:src|href)="(\/[^"]+\?v=[^"]+)"/g)].map(([, file]) => `${file}`);
    // The page loads a script and an icon. Its style is in the HTML.
    expect(files).to.have.length(2);
    for (const file of files) {
      expect(file.startsWith(`${base}/qr/assets/`)).to.equal(true);
      expect((await host().network(new URL(file, host().origin))).status).to.equal(200);
    }
  });

  it('sets each cookie on the path that needs it, with Secure if the issuer is https', async () => {
    const browser = new BrowserVisitor(host(), host().network);
    const phone = new PhoneVisitor(host(), host().network);
    await browser.start();
    const uid = new URL(browser.at).pathname.split('/').at(-1);
    const prefix = host().issuer.startsWith('https:') ? '__Secure-' : '';
    await phone.signInAt(await browser.code());
    const atTheCode = await pathsOf(browser);
    await phone.scan(await browser.code());
    const { checkCode } = await phone.approve();
    await browser.finish(`${checkCode}`);

    expect(atTheCode).to.deep.equal({
      _interaction: `${base}/interaction/${uid}`,
      '_interaction.sig': `${base}/interaction/${uid}`,
      _interaction_resume: `${base}/auth/${uid}`,
      '_interaction_resume.sig': `${base}/auth/${uid}`,
      [`${prefix}_qr_attempts`]: `${base}/auth`,
      [`${prefix}_qr_attempts.sig`]: `${base}/auth`,
      [`${prefix}_qr_browser`]: `${base}/interaction/${uid}`,
      [`${prefix}_qr_browser.sig`]: `${base}/interaction/${uid}`,
    });
    expect(await pathsOf(browser)).to.include({
      [`${prefix}_qr_memory`]: `${base}/interaction, ${base}/qr/actions`,
    });
    expect(await pathsOf(phone)).to.include({ [`${prefix}_qr_seen`]: `${base}/qr`, _session: '/' });
    for (const cookie of [...(await cookiesOf(browser)), ...(await cookiesOf(phone))]) {
      expect(cookie, cookie.key).to.include({ httpOnly: true, sameSite: 'lax' });
      expect(cookie.secure ?? false, cookie.key).to.equal(host().issuer.startsWith('https:'));
    }
  });
}

type Cookies = NonNullable<Awaited<ReturnType<BrowserVisitor['agent']['jar']['serialize']>>>['cookies'];

async function cookiesOf({ agent }: BrowserVisitor | PhoneVisitor): Promise<Cookies> {
  return (await agent.jar.serialize())?.cookies ?? [];
}

/** Returns the path of each cookie, or the list of its paths. */
async function pathsOf(visitor: BrowserVisitor | PhoneVisitor): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const { key = '', path } of await cookiesOf(visitor)) {
    paths[key] = paths[key] === undefined ? `${path}` : [paths[key], path].sort().join(', ');
  }
  return paths;
}
