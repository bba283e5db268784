import { expect } from 'chai';
import type { ClientLogo } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserPerson, PhonePerson, testClient, World } from '../../support/world.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>';
const dataUrl = (type: string, bytes: Buffer): string => `data:${type};base64,${bytes.toString('base64')}`;

const LOGOS: Readonly<Record<string, { readonly logo: ReturnType<ClientLogo>; readonly type: string }>> = {
  'the bytes of a PNG': { logo: { type: 'image/png', bytes: PNG }, type: 'image/png' },
  'a data: URL of a JPEG': { logo: dataUrl('image/jpeg', Buffer.from('ffd8ffe0', 'hex')), type: 'image/jpeg' },
  'a WebP': { logo: { type: 'image/webp', bytes: Buffer.from('RIFF0000WEBPVP8 ') }, type: 'image/webp' },
  'an SVG by a promise': { logo: Promise.resolve(dataUrl('image/svg+xml', Buffer.from(SVG))), type: 'image/svg+xml' },
};

const NONE: Readonly<Record<string, unknown>> = {
  'the address of a picture': 'https://rp.example/logo.png',
  'a data: URL of HTML': dataUrl('text/html', Buffer.from('<script>alert(1)</script>')),
  'a type that the bytes do not have': { type: 'image/png', bytes: Buffer.from(SVG) },
  'more than 64 KiB': { type: 'image/png', bytes: Buffer.concat([PNG, Buffer.alloc(65_536)]) },
  'no bytes': { type: 'image/png', bytes: new Uint8Array() },
  'bytes without a type': { bytes: PNG },
};

/** Scans, and passes the confirm page to `look`, with a function that loads the logo of that page. */
async function during(
  clientLogo: ClientLogo,
  look: (page: string, load: (change?: (url: URL) => void) => Promise<Answer>) => Promise<void>,
): Promise<void> {
  await World.during({ qrLogin: { clientLogo } }, async (world) => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    const { text } = await phone.agent.follow(phone.at);
    const [, src = ''] = /<img class="logo" src="([^"]*)"/.exec(text) ?? [];
    await look(text, (change) => {
      const url = new URL(src.replaceAll('&amp;', '&'), world.origin);
      change?.(url);
      return phone.agent.get(url);
    });
  });
}

describe('the logo of a client', () => {
  for (const [what, { logo, type }] of Object.entries(LOGOS)) {
    it(`is served by the provider if it is an image: ${what}`, () =>
      during(
        (clientId) => (clientId === 'test-rp' ? logo : undefined),
        async (page, load) => {
          expect(page).to.match(/<img class="logo" src="\/qr\/logos\/[\w-]+\?s=[\w-]+&amp;v=[\w-]+" alt=""/);
          const file = await load();
          expect(file.status).to.equal(200);
          expect(file.headers.get('content-type')).to.equal(type);
          expect(file.headers.get('content-security-policy')).to.match(/^default-src 'none';.*; sandbox$/);
          expect(file.headers.get('x-content-type-options')).to.equal('nosniff');
          expect(file.headers.get('cross-origin-resource-policy')).to.equal('same-origin');
          expect(file.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
          const old = await load((url) => url.searchParams.set('v', 'old'));
          expect(old.headers.get('cache-control')).to.equal('no-cache');
        },
      ));
  }

  it('is on the consent page and in the JSON of the phone, too', () =>
    World.during({ qrLogin: { clientLogo: () => ({ type: 'image/png', bytes: PNG }) } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.look()).json().logo).to.match(/^\/qr\/logos\//);
      await phone.approve();
      const consent = await browser.goOn(String((await browser.finish()).json().redirectTo));
      expect(consent.text).to.include('<img class="logo" src="/qr/logos/');
    }));

  it('is requested from the deployment only for an address that a page has named, not for an id that a caller made up', async () => {
    const asked: string[] = [];
    const clientLogo: ClientLogo = (clientId) => {
      asked.push(clientId);
      return { type: 'image/png', bytes: PNG };
    };
    await during(clientLogo, async (_page, load) => {
      asked.length = 0;
      for (const change of [
        (url: URL) => url.searchParams.delete('s'),
        (url: URL) => url.searchParams.set('s', 'x'.repeat(43)),
        (url: URL) => {
          url.pathname = `/qr/logos/${Buffer.from('../../etc/passwd').toString('base64url')}`;
        },
      ]) {
        expect((await load(change)).status).to.equal(404);
      }
      expect(asked).to.deep.equal([]);
    });
  });

  for (const [what, value] of Object.entries(NONE)) {
    it(`is left out if the function returns ${what}, and the process emits a warning`, async () => {
      const warned = new Promise<string>((resolve) => {
        process.on('warning', function heard(warning) {
          if (!('code' in warning) || warning.code !== 'QR_LOGIN_LOGO') return;
          process.off('warning', heard);
          resolve(warning.message);
        });
      });
      await during(
        () => value as string,
        async (page) => {
          expect(page).to.include('<span class="logo" aria-hidden="true">TA</span>').and.not.to.include('<img');
        },
      );
      expect(await warned).to.include('clientLogo() must return');
    });
  }

  it('is left out if the function fails or does not answer, and the sign-in continues', async () => {
    for (const clientLogo of [
      () => Promise.reject(new Error('no database')),
      () => new Promise<undefined>(() => undefined),
    ]) {
      await during(clientLogo, async (page) => {
        expect(page).to.include('value="approve"').and.not.to.include('<img');
      });
    }
  });

  it('never makes the server or the page load the address that the client has registered', async () => {
    const fetched: string[] = [];
    const { fetch: before } = globalThis;
    const clients = [testClient('logo', { logo_uri: 'https://rp.example/logo.png' })];
    await World.during({ clients }, async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start({ client_id: 'logo' });
      const phone = await new PhonePerson(world).signIn();
      globalThis.fetch = (input, init) => {
        fetched.push(String(input instanceof Request ? input.url : input));
        return before(input, init);
      };
      try {
        await phone.scan(await browser.code());
        expect((await phone.agent.follow(phone.at)).text).not.to.include('rp.example');
      } finally {
        globalThis.fetch = before;
      }
    });
    expect(fetched.filter((url) => url.includes('rp.example'))).to.deep.equal([]);
  });
});
