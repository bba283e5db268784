import { expect } from 'chai';
import type { OtherWays } from '../../../src/index.ts';
import { BrowserPerson, World } from '../../support/world.ts';

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
const ANDROID =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36';
const DESKTOP = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';

/** Returns where in the page's HTML the link to sign in on the same device (`way`) and the code are. */
async function placesOn(world: World, headers: Record<string, string>): Promise<{ way: number; code: number }> {
  const { text } = await new BrowserPerson(world, headers).start();
  return { way: text.indexOf('/password"'), code: text.indexOf('data-code') };
}

describe('the QR page on a phone', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  for (const [what, headers] of Object.entries({
    'an iPhone': { 'user-agent': IPHONE },
    'an Android phone': { 'user-agent': ANDROID },
    'a browser that says that it is a phone': { 'user-agent': DESKTOP, 'sec-ch-ua-mobile': '?1' },
  })) {
    it(`offers to sign in on the same device first, and the code second: ${what}`, async () => {
      const { way, code } = await placesOn(world, headers);
      expect(way).to.be.greaterThan(0);
      expect(code).to.be.greaterThan(way);
    });
  }

  for (const [what, headers] of Object.entries({
    'a desktop': { 'user-agent': DESKTOP },
    'a browser that says that it is not a phone': { 'user-agent': ANDROID, 'sec-ch-ua-mobile': '?0' },
    'an unknown device': { 'user-agent': '' },
  })) {
    it(`shows the code first on any other device: ${what}`, async () => {
      const { way, code } = await placesOn(world, headers);
      expect(code).to.be.greaterThan(0);
      expect(way).to.be.greaterThan(code);
    });
  }

  it('shows the code first if there is no other way', () =>
    World.during({ qrLogin: { otherWays: () => [] } }, async (bare) => {
      const { text } = await new BrowserPerson(bare, { 'user-agent': IPHONE }).start();
      expect(text).to.include('data-code').and.not.include('class="here ');
    }));

  it('offers a passkey before the other ways', () =>
    World.during({ passkeys: true }, async (withPasskeys) => {
      const { text } = await new BrowserPerson(withPasskeys, { 'user-agent': IPHONE }).start();
      const places = ['data-passkey=', '/password"', 'data-code'].map((mark) => text.indexOf(mark));
      expect(places)
        .to.deep.equal([...places].sort((one, other) => one - other))
        .and.not.include(-1);
    }));

  it('shows the other ways in the language of the page', () => {
    const otherWays: OtherWays = (_ctx, _interaction, t) => [{ path: 'password', label: t('scan.title') }];
    return World.during({ qrLogin: { otherWays } }, async (translated) => {
      const { text } = await new BrowserPerson(translated, { 'user-agent': IPHONE, 'accept-language': 'zh' }).start();
      expect(text).to.include('扫码登录').and.include('在此设备上登录');
    });
  });
});
