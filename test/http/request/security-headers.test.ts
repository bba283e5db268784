import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('the headers', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const expectSafe = ({ headers, url }: Answer): void => {
    const policy = headers.get('content-security-policy') ?? '';
    const where = url.pathname;
    expect(policy, where).to.include("default-src 'none'").and.to.include("frame-ancestors 'none'");
    expect(policy, where).not.to.match(/unsafe|\*|https?:/);
    expect(headers.get('cache-control'), where).to.match(/no-store/);
    expect(headers.get('x-content-type-options'), where).to.equal('nosniff');
    expect(headers.get('x-frame-options'), where).to.equal('DENY');
    expect(headers.get('referrer-policy'), where).to.match(/^(no-referrer|same-origin)$/);
    expect(headers.get('access-control-allow-origin'), where).to.equal(null);
  };

  it('protect every page, every JSON response and every error', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const html = { headers: { accept: 'text/html' } };
    const json = { headers: { accept: 'application/json' } };
    const answers = [
      await browser.agent.get(browser.at),
      await browser.agent.get(`${browser.at}/qr`),
      await browser.agent.get(`${browser.at}/qr?after=x`),
      await browser.agent.post(`${browser.at}/qr/finish`, { json: {} }),
      await browser.agent.post(`${browser.at}/qr/finish`, { form: {} }),
      await new BrowserPerson(world).agent.get(browser.at, html),
      await new PhonePerson(world).agent.get(code, html),
      await phone.agent.get(code, html),
      await phone.agent.get(code, json),
      await phone.agent.get(`${world.issuer}/qr/nothing`, html),
      await phone.scan(code),
      await phone.agent.get(phone.at, html),
      await phone.agent.get(phone.at, json),
      await phone.agent.post(phone.at, { form: { csrf: phone.csrf, decision: 'approve' }, ...html }),
      await phone.agent.get(phone.at, html),
      await browser.agent.post(`${browser.at}/qr/renew`, { form: {} }),
      await browser.agent.post(`${browser.at}/cancel`, { form: {} }),
    ];
    for (const answer of answers) expectSafe(answer);
  });

  it('protect the consent page', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    expectSafe(await browser.goOn(String((await browser.finish()).json().redirectTo)));
  });

  it('allow everything that a page needs', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const answers = [await browser.agent.get(browser.at), await phone.agent.follow(code)];
    await phone.scan(code);
    answers.push(await phone.agent.follow(phone.at));
    for (const { text, headers } of answers) {
      const page = text.replace(/<style>(.*?)<\/style>/s, (element, style) => {
        const hash = createHash('sha256').update(style).digest('base64');
        return headers.get('content-security-policy')?.includes(`'sha256-${hash}'`) ? '' : element;
      });
      expect(page).not.to.match(/<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]* src=)/);
      const loads = [...page.matchAll(/<(?:link|script|img)[^>]* (?:href|src)="([^"]+)"/g)].map(([, url]) => url);
      for (const url of loads) expect(url).to.match(/^\/qr\/assets\//);
    }
  });

  it('let browsers cache the files of the pages until the files change', async () => {
    const { text } = await new BrowserPerson(world).start();
    for (const [, path = ''] of text.matchAll(/(?:href|src)="(\/qr\/assets\/[^"]+)"/g)) {
      const file = await fetch(new URL(path, world.origin));
      expect(file.status).to.equal(200);
      expect(file.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
      expect(file.headers.get('content-type')).to.match(
        /^(text\/css|text\/javascript|application\/javascript|image\/svg\+xml)/,
      );
      const etag = file.headers.get('etag') ?? '';
      const plain = new URL(path.split('?')[0] ?? '', world.origin);
      expect((await fetch(plain)).headers.get('cache-control')).to.equal('no-cache');
      expect(
        (await fetch(plain, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } })).status,
      ).to.equal(304);
    }
  });
});
