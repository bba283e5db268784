import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const CHINESE = { 'accept-language': 'zh-CN,zh;q=0.9' };

describe('the page with the camera', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const scan = (): string => `${world.issuer}/qr/scan`;

  it('sends a phone that is not signed in to the sign-in page and back', async () => {
    const phone = new PhonePerson(world);
    const sent = await phone.agent.get(scan());
    expect(sent.status).to.equal(303);
    expect(new URL(sent.location).searchParams.get('state')).to.equal('/qr/scan');
    const back = await phone.signInAt(scan());
    expect(back.url.pathname).to.equal('/qr/scan');
    expect(back.status).to.equal(200);
    const script = await new PhonePerson(world).agent.get(scan(), { headers: { accept: 'application/json' } });
    expect(script.status).to.equal(401);
    expect(script.json().error).to.equal('not_signed_in');
  });

  it('is refused to accounts that may not sign in any more', async () => {
    await World.during({ qrLogin: { findAccount: () => undefined } }, async (disabled) => {
      const phone = await new PhonePerson(disabled).signIn();
      const page = await phone.agent.get(`${disabled.issuer}/qr/scan`);
      expect(page.status).to.equal(403);
      expect(page.text).to.include('data-error="account_unavailable"');
      expect(page.headers.get('permissions-policy')).to.equal('camera=()');
    });
  });

  it('has the rate limit of a scan', async () => {
    await World.during({ qrLogin: { limits: { address: { scan: 2 } } } }, async (limited) => {
      const phone = await new PhonePerson(limited).signIn();
      const answers: Answer[] = [];
      for (let tries = 0; tries < 3; tries++) answers.push(await phone.agent.get(`${limited.issuer}/qr/scan`));
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 429]);
    });
  });

  it('contains the prefix and length of valid codes, which match the code in the browser', async () => {
    for (const path of ['', '/op']) {
      await World.during({ path }, async (mounted) => {
        const { browser, phone } = await mounted.meet();
        const { text } = await phone.agent.get(`${mounted.issuer}/qr/scan`);
        const [, prefix = '', length = ''] = /data-codes="([^"]+)" data-code-length="(\d+)"/.exec(text) ?? [];
        expect(prefix).to.equal(`${mounted.issuer}/qr/`);
        const code = await browser.code();
        expect(code.startsWith(prefix)).to.equal(true);
        expect(code.length - prefix.length).to.equal(Number(length));
      });
    }
  });

  it('is the only page that may use the camera', async () => {
    const { browser, phone } = await world.meet();
    const policy = async (url: string): Promise<string | null> =>
      (await phone.agent.get(url, { headers: { accept: 'text/html' } })).headers.get('permissions-policy');
    expect(await policy(scan())).to.equal('camera=(self)');
    for (const url of [await browser.code(), `${world.issuer}/qr/nothing`, `${world.issuer}/qr/manifest.webmanifest`]) {
      expect(await policy(url)).to.equal('camera=()');
    }
  });
});

describe('the app on the home screen', () => {
  let world: World;

  before(async () => {
    world = await World.start({ path: '/op' });
  });

  after(() => world?.stop());

  const manifest = (headers: Record<string, string> = {}): Promise<Answer> =>
    new BrowserPerson(world, headers).agent.get(`${world.issuer}/qr/manifest.webmanifest`);

  it('has a manifest that needs no cookie, and stays within the provider', async () => {
    const answer = await manifest();
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-type')).to.match(/^application\/manifest\+json/);
    expect(answer.json()).to.include({
      id: '/op/qr/scan',
      start_url: '/op/qr/scan',
      scope: '/op/',
      display: 'standalone',
      name: 'Scan to sign in to Example ID',
      short_name: 'QR sign-in',
      lang: 'en',
    });
  });

  it('has a name in the language of the browser', async () => {
    const answer = await manifest(CHINESE);
    expect(answer.headers.get('vary')).to.match(/accept-language/i);
    expect(answer.json()).to.include({ name: '扫码登录 Example ID', short_name: '扫码登录', lang: 'zh' });
  });

  it('has icons that exist, in the sizes that the manifest names', async () => {
    const { icons } = (await manifest()).json() as {
      icons: { src: string; sizes: string; type: string; purpose: string }[];
    };
    expect(new Set(icons.map(({ sizes, purpose }) => `${sizes} ${purpose}`))).to.include.all.keys(
      '192x192 any',
      '512x512 any',
      '192x192 maskable',
      '512x512 maskable',
    );
    for (const { src, sizes, type } of icons) {
      const file = await fetch(new URL(src, world.origin));
      expect(file.status).to.equal(200);
      expect(file.headers.get('content-type')).to.match(new RegExp(`^${type.replace('+', '\\+')}`));
      const bytes = Buffer.from(await file.arrayBuffer());
      expect(bytes.length).to.be.lessThan(10_000);
      if (type === 'image/png') expect(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`).to.equal(sizes);
    }
  });

  it('is offered only on the page with the camera, and every page has an icon', async () => {
    const { browser, phone } = await world.meet();
    const pages = await Promise.all([
      phone.agent.follow(`${world.issuer}/qr/scan`),
      phone.agent.follow(await browser.code()),
      browser.agent.follow(browser.at),
      phone.agent.follow(`${world.issuer}/qr/nothing`),
    ]);
    expect(pages.map(({ text }) => text.includes('rel="manifest"'))).to.deep.equal([true, false, false, false]);
    for (const { text } of pages) {
      const [, icon = ''] = /<link rel="icon"[^>]* href="([^"]+)"/.exec(text) ?? [];
      expect((await fetch(new URL(icon, world.origin))).headers.get('content-type')).to.match(/^image\/svg\+xml/);
    }
  });
});
