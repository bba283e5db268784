import { get, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { StillClock } from '../../support/clock.ts';
import { BrowserPerson, World } from '../../support/world.ts';

interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Loads the QR page of a browser. @param encodings the value of `Accept-Encoding` */
async function load({ agent, at }: BrowserPerson, encodings: string): Promise<RawAnswer> {
  const cookie = await agent.jar.getCookieString(at);
  return new Promise((resolve, reject) => {
    const headers = { cookie, 'accept-encoding': encodings, 'accept-language': 'en' };
    get(at, { headers }, (answer) =>
      buffer(answer).then((body) => resolve({ headers: answer.headers, body }), reject),
    ).on('error', reject);
  });
}

describe('the QR page over the wire', () => {
  const during = (act: (world: World) => Promise<void>): Promise<void> =>
    World.during({ qrLogin: { clock: new StillClock().now } }, act);

  it('is the same page with and without gzip, and smaller with it', () =>
    during(async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const plain = await load(browser, 'identity');
      const packed = await load(browser, 'gzip, br');
      expect(plain.headers).not.to.have.property('content-encoding');
      expect(packed.headers).to.include({ 'content-encoding': 'gzip', 'content-length': `${packed.body.length}` });
      for (const { headers } of [plain, packed]) expect(headers.vary).to.include('Accept-Encoding');
      expect(gunzipSync(packed.body).toString()).to.equal(plain.body.toString());
      expect(plain.body.length - packed.body.length).to.be.above(4_000);
    }));

  it('has only its style and its QR code compressed, so that its length does not show whether a guess in the request matches the page', () =>
    during(async (world) => {
      const browser = new BrowserPerson(world);
      const hint = 'Sign in to Test app';
      expect((await browser.start({ login_hint: hint })).text).to.include(hint);
      const html = (await load(browser, 'identity')).body.toString();
      const { body } = await load(browser, 'gzip');
      const [before = '', style = '', after = ''] = html.split(/<style>|<\/style>/);
      const [code = '', lines = '', rest = ''] = after.split(/(<path stroke="#000" d="[^"]+"\/>)/);
      expect(rest).to.include(hint);
      for (const part of [before, code, rest]) expect(body.includes(part)).to.equal(true);
      for (const part of [style, lines]) expect(body.includes(part)).to.equal(false);
    }));
});
