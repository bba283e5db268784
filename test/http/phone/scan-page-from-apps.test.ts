import { expect } from 'chai';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhonePerson, World } from '../../support/world.ts';

const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148';

describe('a text that another app shares with the scan page', () => {
  let world: World;

  before(async () => {
    world = await World.start({ path: '/op' });
  });

  after(() => world?.stop());

  const share = (phone: PhonePerson, shared: Record<string, string>) =>
    phone.agent.get(`${world.issuer}/qr/scan?${new URLSearchParams(shared)}`);

  it('has a share target in the manifest, and changes nothing by itself', async () => {
    const { phone: visitor } = await world.meet();
    const manifest = await visitor.agent.get(`${world.issuer}/qr/manifest.webmanifest`);
    expect(manifest.json().share_target).to.deep.equal({
      action: '/op/qr/scan',
      method: 'GET',
      enctype: 'application/x-www-form-urlencoded',
      params: { url: 'url', text: 'text', title: 'title' },
    });
    const { browser, phone } = await world.meet();
    await share(phone, { text: await browser.code() });
    expect((await browser.ticket()).state).to.equal('waiting');
  });

  it('leads to the landing page of the code in the text, even if the phone is not signed in', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const landing = new URL(code).pathname;
    for (const shared of [{ url: code }, { text: `Sign in: ${code} (soon)` }, { title: 'A link', text: code }]) {
      for (const person of [phone, new PhonePerson(world)]) {
        const answer = await share(person, shared);
        expect([answer.status, answer.location]).to.deep.equal([303, landing]);
      }
    }
  });

  it('leads to no other address: the page says that the code belongs to another site', async () => {
    const phone = await new PhonePerson(world).signIn();
    for (const text of [
      'https://evil.example/qr/code',
      `${world.issuer}.evil.example/qr/${UNKNOWN_CODE}`,
      `${world.issuer}/qr/${UNKNOWN_CODE}x`,
      `${world.issuer}/qr/scan`,
      'no link',
    ]) {
      const page = await share(phone, { text });
      expect(page.status).to.equal(200);
      expect(page.text).to.include('>This QR code is not from Example ID.').and.not.include('evil');
    }
    expect((await phone.agent.get(`${world.issuer}/qr/scan`)).text).not.to.include('>This QR code is not from');
  });
});

describe('the scan page in the browser of another app', () => {
  let world: World;

  before(async () => {
    world = await World.start({ path: '/op' });
  });

  after(() => world?.stop());

  const pageFor = async (userAgent: string): Promise<string> => {
    const phone = await new PhonePerson(world).signIn();
    return (await phone.agent.get(`${world.issuer}/qr/scan`, { headers: { 'user-agent': userAgent } })).text;
  };
  const linkOn = (page: string): string | undefined =>
    /<a class="button primary" href="([^"]+)">.*Open in your browser/.exec(page)?.[1];

  for (const [app, mark] of [
    ['WeChat', 'MicroMessenger/8.0.49.2600(0x28003137) WeChat/arm64 Weixin NetType/WIFI'],
    ['Instagram', 'Instagram 334.0.0.42.95 Android (34/14; 420dpi; Google; Pixel 8)'],
    ['Facebook', '[FB_IAB/FB4A;FBAV/465.0.0.54.85;]'],
    ['Facebook', '[FBAN/FBIOS;FBAV/465.0.0;FBBV/1;]'],
    ['Messenger', '[FB_IAB/Orca-Android;FBAV/458.0.0.54;]'],
    ['TikTok', 'musical_ly_2023304030 BytedanceWebview/d8a21c6'],
    ['LINE', 'Line/14.6.0'],
    ['KakaoTalk', 'KAKAOTALK 10.7.5'],
    ['LinkedIn', '[LinkedInApp]'],
    ['Snapchat', 'Snapchat/12.90.0.43'],
  ] as const) {
    it(`names ${app}, and says how to open the system's browser: ${mark.slice(0, 20)}`, async () => {
      const page = await pageFor(`${ANDROID} ${mark}`);
      expect(page).to.include(`${app} may keep the camera from this page`);
      expect(page).to.include(`Open the menu of ${app}`);
      expect(linkOn(page)).to.equal(`intent://${new URL(world.issuer).host}/op/qr/scan#Intent;scheme=http;end`);
    });
  }

  it('links to Safari on an iPhone, and has no link on other systems', async () => {
    const { host } = new URL(world.issuer);
    expect(linkOn(await pageFor(`${IPHONE} Instagram 334.0.0`))).to.equal(`x-safari-http://${host}/op/qr/scan`);
    const other = await pageFor('Mozilla/5.0 (Windows NT 10.0) MicroMessenger/8.0.2');
    expect(other).to.include('WeChat may keep the camera');
    expect(linkOn(other)).to.equal(undefined);
  });

  it('has no such hint in a browser that is not part of another app', async () => {
    for (const userAgent of [
      ANDROID.replace('; wv', ''),
      `${IPHONE} Version/17.5 Safari/604.1`,
      'Mozilla/5.0 FBomb/1',
    ]) {
      expect(await pageFor(userAgent)).not.to.include('may keep the camera');
    }
  });
});
