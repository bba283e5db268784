import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type QrLoginOptions, qrLogin } from '../../../src/index.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const PROGRAM = fileURLToPath(new URL('../../support/without-eval-program.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A style sheet that names an asset and a file that does not exist. */
const THEME = ':root { --accent: #123456; --logo: url("logo.svg"), url(other.svg) }';
/** A text under a key that the built-in texts do not have. */
const TEXTS = { 'locales/en.json': '{ "shop.hello": "Hello" }' };

describe('the deployment’s own views', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'views-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function write(files: Record<string, string>): string {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return folder;
  }

  function during(files: Record<string, string>, act: (world: World) => Promise<void>): Promise<void> {
    return World.during({ qrLogin: { views: write(files) } }, act);
  }

  it('replace a page and its partials, with the same data', () =>
    during(
      {
        'pages/qr.eta':
          '<% layout("layout", { title: "Mine" }) %><main><h1>Welcome to <%= it.request.client.name %></h1><%~ include("mine") %><%~ it.ticket.qr?.svg %></main>',
        'pages/mine.eta': '<p><%= it.t("qr.waiting") %></p>',
        'pages/brand.eta': '<header>The shop, <%= it.provider %></header>',
      },
      async (world) => {
        const { text } = await new BrowserPerson(world).start();
        expect(text).to.include('<h1>Welcome to Test app</h1>').and.include('<title>Mine</title>');
        expect(text).to.include('<p>Scan this QR code with your phone</p>').and.include('<svg');
        expect(text).to.include('<header>The shop, Example ID</header>');
        expect((await new PhonePerson(world).agent.get(`${world.issuer}/qr/nothing`)).text).to.include('The shop');
      },
    ));

  it('still escape their data', () =>
    during({ 'pages/qr.eta': '<p><%= it.request.loginHint %></p>' }, async (world) => {
      const { text } = await new BrowserPerson(world).start({ login_hint: '<b>"bob"' });
      expect(text).to.equal('<p>&lt;b&gt;&quot;bob&quot;</p>');
    }));

  it('replace texts, and keep the others', () =>
    during({ 'locales/en.json': '{ "qr.waiting": "Point the shop’s app here" }' }, async (world) => {
      const { text } = await new BrowserPerson(world).start();
      expect(text).to.include('Point the shop’s app here').and.include('Cancel and go back to Test app');
    }));

  it('may have hidden files next to them', () =>
    during({ ...TEXTS, '.DS_Store': '', 'pages/.qr.eta.swp': '' }, async (world) => {
      expect((await new BrowserPerson(world).start()).status).to.equal(200);
    }));

  it('can come from several folders, and a later folder overrides an earlier one', () => {
    write({
      'one/pages/brand.eta': '<header>One</header>',
      'one/locales/en.json': '{ "qr.waiting": "Scan with one" }',
      'two/pages/brand.eta': '<header>Two</header>',
    });
    return World.during({ qrLogin: { views: [join(folder, 'one'), join(folder, 'two')] } }, async (world) => {
      const { text } = await new BrowserPerson(world).start();
      expect(text).to.include('<header>Two</header>').and.include('Scan with one');
    });
  });

  it('can add a language, which falls back on English', () =>
    during({ 'locales/he.json': '{ "qr.title": "כניסה אל {client}" }' }, async (world) => {
      const { text } = await new BrowserPerson(world, { 'accept-language': 'he-IL' }).start();
      expect(text).to.include('<html lang="he" dir="rtl">').and.include('כניסה אל \u2068Test app\u2069');
      expect(text).to.include('Scan this QR code with your phone');
    }));

  it('can add texts for a region, which falls back on its language', () =>
    during(
      { 'locales/de-AT.json': '{ "qr.waiting": "Grüß Gott" }', 'locales/pt-BR.json': '{ "qr.waiting": "Olá" }' },
      async (world) => {
        const austrian = await new BrowserPerson(world, { 'accept-language': 'de-AT' }).start();
        expect(austrian.text)
          .to.include('<html lang="de-AT"')
          .and.include('Grüß Gott')
          .and.include('Bei Test app anmelden');
        for (const asked of [{ headers: { 'accept-language': 'pt' } }, { parameters: { ui_locales: 'pt' } }] as const) {
          const { headers = {}, parameters = {} } = { headers: undefined, parameters: undefined, ...asked };
          expect((await new BrowserPerson(world, headers).start(parameters)).text)
            .to.include('<html lang="pt-BR"')
            .and.include('Olá');
        }
      },
    ));

  it('can add the language of a region, for browsers that ask for it', () =>
    during({ 'locales/zh-TW.json': '{ "qr.waiting": "請用手機掃描" }' }, async (world) => {
      const page = async (language: string): Promise<string> =>
        (await new BrowserPerson(world, { 'accept-language': language }).start()).text;
      expect(await page('zh-TW'))
        .to.include('<html lang="zh-TW"')
        .and.include('請用手機掃描');
      expect(await page('zh-CN'))
        .to.include('<html lang="zh"')
        .and.include('请用手机扫描二维码');
    }));

  it('can add a style sheet that every page loads, and other assets', () =>
    during({ 'assets/theme.css': THEME, 'assets/logo.svg': '<svg/>' }, async (world) => {
      const { text } = await new PhonePerson(world).agent.get(`${world.issuer}/qr/nothing`);
      const [, style = '', theme = ''] =
        /href="([^"]+style\.css[^"]*)">.*<link[^>]*href="([^"]+theme\.css[^"]*)"/s.exec(text) ?? [];
      expect(style).to.include('/qr/assets/');
      const css = await (await fetch(new URL(theme, world.origin))).text();
      expect(css).to.include('#123456');
      const logo = await fetch(new URL(/url\("([^"]+)"\)/.exec(css)?.[1] ?? '', world.origin));
      expect(logo.headers.get('content-type')).to.equal('image/svg+xml');
      expect(logo.headers.get('cache-control')).to.include('immutable');
      expect((await fetch(`${world.issuer}/qr/assets/other.svg`)).status).to.equal(404);
    }));

  describe('with a style sheet', () => {
    /** Returns the styles in the HTML of the QR page, and the names of the sheets that it loads. */
    const stylesOf = (files: Record<string, string>): Promise<{ inline: string[]; sheets: string[] }> => {
      let styles = { inline: [] as string[], sheets: [] as string[] };
      return during(files, async (world) => {
        const { text, headers } = await new BrowserPerson(world).start();
        const inline = [...text.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, css]) => String(css));
        const sheets = [...text.matchAll(/<link rel="stylesheet" href="[^"]*\/([\w-]+\.css)/g)].map(
          ([, name]) => `${name}`,
        );
        for (const css of inline) {
          const hash = createHash('sha256').update(css).digest('base64');
          expect(headers.get('content-security-policy')).to.include(`style-src 'self' 'sha256-${hash}';`);
        }
        styles = { inline, sheets };
      }).then(() => styles);
    };

    it('have its content in the HTML of the QR page, after the built-in style, with the addresses of assets', async () => {
      const css = `${THEME.replace(', url(other.svg)', '')} a { background: url('./logo.svg#a'), url(logo.svg?old), url("/b") }`;
      const { inline, sheets } = await stylesOf({ 'assets/theme.css': css, 'assets/logo.svg': '<svg/>' });
      expect(sheets).to.deep.equal([]);
      expect(inline).to.have.length(1);
      expect(inline[0]).to.match(/--accent:#0b5cad[\s\S]*--accent: #123456/);
      const urls = [...`${inline[0]}`.matchAll(/url\("([^"]*)"\)/g)].map(([, url]) => `${url}`);
      const [logo = '', ...others] = urls;
      expect(logo).to.match(/^\/qr\/assets\/logo\.svg\?v=[\w-]{12}$/);
      expect(others).to.deep.equal([`${logo}#a`, logo, '/b']);
    });

    it('have its content in the form that the browser hashes, with any line ends and a byte order mark', async () => {
      const { inline } = await stylesOf({ 'assets/theme.css': '\uFEFFa {\r\n  color: #123456;\r}\r\n' });
      expect(inline[0]?.endsWith('\na {\n  color: #123456;\n}\n')).to.equal(true);
    });

    for (const [what, css] of [
      ['is long', `/* ${'x'.repeat(4096)} */`],
      ['loads another one', '@import "other.css";'],
      ['would end its element', '/* </style><script> */'],
      ['names a file that is not in the folder', 'body { background: url(other.svg) }'],
      ['has a set of pictures', 'body { background: image-set("logo.png" 1x) }'],
    ] as const) {
      it(`load it as a separate file if it ${what}`, async () => {
        const { inline, sheets } = await stylesOf({ 'assets/theme.css': css });
        expect(sheets).to.deep.equal(['theme.css']);
        expect(inline.join()).to.include('--accent:#0b5cad').and.not.include(css);
      });
    }

    it('load it as a separate file if they replace the built-in style sheet', async () => {
      const { inline, sheets } = await stylesOf({ 'assets/style.css': 'body {}', 'assets/theme.css': THEME });
      expect(sheets).to.deep.equal(['style.css', 'theme.css']);
      expect(inline.join('')).to.equal('');
    });
  });

  it('can add pages, with the built-in layout and headers, in the requested language', () =>
    World.during(
      {
        qrLogin: {
          views: write({
            'pages/shop.eta':
              '<% layout("layout", { title: "Shop" }) %><p><%= it.t("shop.hello") %>, <%= it.name %></p>',
            'locales/de.json': '{ "shop.hello": "Hallo" }',
            ...TEXTS,
          }),
        },
        extend: ({ provider, qr }) =>
          provider.use(async (ctx, next) => {
            if (ctx.path !== '/shop') return next();
            qr.render(ctx, 'shop', { name: '<Alice>', locales: ['de'] });
          }),
      },
      async (world) => {
        const page = await fetch(`${world.issuer}/shop`);
        expect(await page.text())
          .to.include('<html lang="de"')
          .and.include('<p>Hallo, &lt;Alice&gt;</p>');
        expect(page.headers.get('x-frame-options')).to.equal('DENY');
        expect(page.headers.get('content-security-policy')).to.include("default-src 'none'");
      },
    ));

  describe('are refused at start-up if they contain', () => {
    const refusals: readonly (readonly [what: string, files: Record<string, string>, says: RegExp])[] = [
      [
        'an unknown part',
        { 'templates/qr.eta': '' },
        /there is "templates" in the folder of views .*pages, locales, assets/,
      ],
      [
        'a template with another ending',
        { 'pages/qr.html': '' },
        /qr\.html: the files here must have names that end with \.eta/,
      ],
      ['a locale that is no language', { 'locales/german!.json': '{}' }, /languages \(BCP 47\) as names/],
      ['a locale that is no JSON', { 'locales/de.json': '{' }, /de\.json is not JSON/],
      ['a text that is a number', { 'locales/de.json': '{ "qr.title": 7 }' }, /de\.json: "qr\.title" must be a text/],
      ['plurals without "other"', { 'locales/de.json': '{ "qr.soon": { "one": "x" } }' }, /"other" among them/],
      ['texts that are null', { 'locales/de.json': 'null' }, /must hold an object of texts/],
      ['texts that are a list', { 'locales/de.json': '[]' }, /must hold an object of texts/],
      [
        'a folder among the templates',
        { 'pages/parts.eta/a.eta': '' },
        /parts\.eta is in a folder of views and cannot be read as a file/,
      ],
      ['a file in the place of a folder', { pages: '' }, /views must be a folder that can be read, not .*pages/],
      ['an asset that no URL can name', { 'assets/a b.png': '' }, /names of letters, digits/],
    ];

    for (const [what, files, says] of refusals) {
      it(what, () => {
        const views = write(files);
        expect(() => qrLogin(options({ views }))).to.throw(TypeError, says);
      });
    }

    it('no pages, locales or assets, or if the folder does not exist', () => {
      expect(() => qrLogin(options({ views: '/nowhere' }))).to.throw(
        TypeError,
        /must be a folder that can be read, not \/nowhere/,
      );
      expect(() => qrLogin(options({ views: folder }))).to.throw(TypeError, /holds none of pages, locales, assets/);
    });

    it('a template with a mistake in its syntax', () =>
      expectRefusal({ 'pages/qr.eta': '<p><%= it.t( %></p>' }, /the template qr\.eta cannot be compiled/));

    it('a template that throws in any state', () =>
      expectRefusal(
        { 'pages/done.eta': '<% if (it.because === "risk") { %><%= it.nothing.here %><% } %>' },
        /the page "done" cannot be rendered with your templates: .*undefined/,
      ));

    it('a template with an unknown text', () =>
      expectRefusal(
        { 'pages/landing.eta': '<%= it.t("landing.other") %>' },
        /there is no text "landing\.other" in en\.json/,
      ));

    async function expectRefusal(files: Record<string, string>, says: RegExp): Promise<void> {
      const refused = await during(files, async () => undefined).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(TypeError);
      expect(String(refused)).to.match(says);
    }
  });
});

describe('the pages need no eval', () => {
  const run = (views: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ['--import', './scripts/typescript.mjs', PROGRAM], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, VIEWS: views },
    });

  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'views-'));
    mkdirSync(join(folder, 'pages'));
    writeFileSync(join(folder, 'pages/brand.eta'), '<header>The shop</header>');
  });

  after(() => rmSync(folder, { recursive: true }));

  it('unless the deployment has its own templates', () => {
    expect(run('').stdout).to.equal('200 <h1>Sign in to app</h1>\n');
    const { status, stderr } = run(folder);
    expect(status).not.to.equal(0);
    expect(stderr).to.include('brand.eta cannot be compiled: this process does not compile text to code');
  });
});

describe('the files of the pages', () => {
  it('are compressed if the browser accepts that, but the pages are not, because they contain secrets', () =>
    World.during({}, async (world) => {
      const { agent } = new PhonePerson(world, { 'accept-encoding': 'br, gzip' });
      const { headers, text } = await agent.get(`${world.issuer}/qr/nothing`);
      expect(headers.get('content-encoding')).to.equal(null);
      const [, path = ''] = /href="([^"]+style\.css[^"]*)"/.exec(text) ?? [];
      const url = new URL(path, world.origin);
      const plain = await requestRaw(url, 'identity');
      const gzip = await requestRaw(url, 'gzip');
      const brotli = await requestRaw(url, 'gzip, deflate, br, zstd');
      expect([plain, gzip, brotli].map(({ encoding }) => encoding)).to.deep.equal([undefined, 'gzip', 'br']);
      expect(new Set([plain, gzip, brotli].map(({ etag }) => etag)).size).to.equal(3);
      expect(gunzipSync(gzip.body)).to.deep.equal(plain.body);
      expect(brotliDecompressSync(brotli.body)).to.deep.equal(plain.body);
      expect(brotli.body.length).to.be.below(plain.body.length / 2);
    }));
});

function options(more: Partial<QrLoginOptions>): QrLoginOptions {
  return { findAccount: () => ({ name: 'Alice' }), signIn: () => '/', ...more };
}

interface RawResponse {
  readonly encoding: string | undefined;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

/** Returns the response as it is sent: `fetch` would decompress it. */
function requestRaw(url: URL, accepted: string): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': accepted } }, async (response) => {
      const { 'content-encoding': encoding, etag } = response.headers;
      resolve({ encoding, etag, body: await buffer(response) });
    }).once('error', reject);
  });
}
