import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import { docPage, firstColumn, section } from '../support/doc-pages.ts';
import { ROOT } from '../support/packed.ts';
import { BrowserPerson, PhonePerson, World } from '../support/world.ts';

const PAGE = docPage('docs/theming.md');

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Returns the body of an interface. Relies on the formatting of the source. */
function bodyOf(path: string, name: string): string {
  const [, body] = new RegExp(`export interface ${name} {\\n([\\s\\S]*?)\\n}`).exec(read(path)) ?? [];
  if (body === undefined) throw new Error(`${path} has no interface ${name}`);
  return body;
}

function keysIn(body: string, indent?: number): string[] {
  const before = indent === undefined ? '' : `^ {${indent}}`;
  return [...body.matchAll(new RegExp(`${before}readonly (\\w+)\\??:`, 'gm'))].map(([, key]) => String(key));
}

interface Context {
  readonly template: string;
  /** The keys at the top level, and all keys including nested ones. */
  readonly keys: readonly string[];
  readonly all: readonly string[];
}

/** Returns the data of each page, from the interface `Pages`. */
function contexts(): Context[] {
  const body = bodyOf('src/http/pages/page-data.ts', 'Pages');
  return [...body.matchAll(/^ {2}(\w+): (?:{\n([\s\S]*?)^ {2}}|(\w+));/gm)].map(([, template, inside, type]) => {
    const given = type === undefined ? String(inside) : bodyOf('src/http/pages/page-data.ts', type);
    return { template: String(template), keys: keysIn(given, type === undefined ? 4 : 2), all: keysIn(given) };
  });
}

/** Writes the view files of a page of the documentation into a folder. @returns the folder */
function viewsOf(path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'views-'));
  for (const { file, code } of docPage(path).blocks) {
    if (!file?.startsWith('views/')) continue;
    const to = join(folder, file.replace('views/', ''));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, code);
  }
  return folder;
}

describe('the theming page', () => {
  it('lists each partial, and no others', () => {
    const pages = contexts().map(({ template }) => template);
    const templates = readdirSync(join(ROOT, 'views/pages')).map((file) => basename(file, '.eta'));
    expect(templates).to.include.members(pages);
    const partials = templates.filter((template) => !pages.includes(template));
    expect(firstColumn(section(PAGE, '## A part of a page'))).to.have.members(partials);
  });

  for (const { template, keys, all } of contexts()) {
    it(`lists the data of ${template}, and nothing else`, () => {
      const [, heading = ''] = new RegExp(`^(### .*\`${template}\`.*)$`, 'm').exec(PAGE.text) ?? [];
      const about = section(PAGE, heading);
      expect(firstColumn(about)).to.have.members([...keys]);
      for (const key of all) expect(about).to.match(new RegExp(`\\b${key}\\b`));
    });
  }

  it('lists the data of every template', () => {
    expect(firstColumn(section(PAGE, '### What every template has'))).to.have.members(
      keysIn(bodyOf('src/http/pages/page-data.ts', 'PageTools')),
    );
  });

  for (const [file, name] of [
    ['http/ticket-view/browser-view.ts', 'BrowserView'],
    ['http/ticket-view/browser-view.ts', 'ShownCode'],
    ['http/pages/page-data.ts', 'BrowserEntry'],
    ['http/pages/page-data.ts', 'Link'],
    ['ticket/ticket.ts', 'SignInRequest'],
  ] as const) {
    it(`lists the fields of a ${name}`, () => {
      const row = section(PAGE, '### What is in them')
        .split('\n')
        .find((line) => line.startsWith(`| \`${name}\``));
      for (const key of keysIn(bodyOf(`src/${file}`, name), 2))
        expect(row).to.match(new RegExp(`\`${key}\\b|\\b${key}\``));
    });
  }

  it('lists each custom property with its values', () => {
    const style = read('views/assets/style.css');
    const [light = '', dark = ''] = [...style.matchAll(/:root {([^}]*)}/g)].map(([, body]) => String(body));
    const valueIn = (body: string, property: string): string =>
      new RegExp(`${property}: ([^;]+);`).exec(body)?.[1] ?? '';
    const properties = [...light.matchAll(/(--[\w-]+):/g)].map(([, property]) => String(property));
    const table = section(PAGE, '## The design system');
    expect(firstColumn(table)).to.deep.equal(properties);
    for (const property of properties.filter((one) => one !== '--font')) {
      const dim = valueIn(dark, property);
      const cells = `| \`${property}\` | \`${valueIn(light, property)}\` | ${dim && `\`${dim}\` `}|`;
      expect(table).to.include(cells);
    }
  });

  it('lists each icon', () => {
    const names = [...read('views/pages/icon.eta').matchAll(/^ {2}(\w+): '/gm)].map(([, name]) => String(name));
    const [, listed = ''] = /There are ([^.]*)\./.exec(section(PAGE, '## The design system')) ?? [];
    expect([...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name)).to.deep.equal(names);
  });

  it('quotes the Content-Security-Policy of the pages', () =>
    World.during({}, async (world) => {
      const { headers } = await new BrowserPerson(world).start();
      const policy = headers.get('content-security-policy')?.replace(/'sha256-[\w+/]{43}='/, "'sha256-…'");
      expect(section(PAGE, '## What the pages may load')).to.include(`\n${policy}\n`);
    }));
});

describe('the views in the documentation', () => {
  let folder: string | undefined;

  afterEach(() => folder && rmSync(folder, { recursive: true }));

  it('look as the theming page says, if they are in the folder of views', async () => {
    folder = viewsOf('docs/theming.md');
    // The page mentions a logo that the reader provides.
    writeFileSync(join(folder, 'assets/logo.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    await World.during(
      {
        qrLogin: { views: folder, assess: () => 'check code' },
        extend: ({ provider, qr }) =>
          provider.use(async (ctx, next) => {
            if (ctx.path !== '/vault') return next();
            qr.render(ctx, 'vault', { boxes: Number(ctx.query.boxes) });
          }),
      },
      async (world) => {
        const { browser, phone } = await world.meet();
        const { text } = await browser.agent.follow(browser.at);
        expect(text).to.include('Scan this with the bank&#39;s app or your camera');
        expect(text).to.include('<small class="quiet">since 1849</small>');
        expect(text).to.include('--accent: #9a3b12;').and.not.include('theme.css');

        await phone.scan(await browser.code());
        await phone.approve();
        const done = (await phone.agent.follow(phone.at)).text;
        expect(done).to.match(/<p class="check-code" dir="ltr">\d{6}<\/p>/);

        const vault = async (boxes: number): Promise<string> =>
          (await fetch(`${world.issuer}/vault?boxes=${boxes}`)).text();
        expect(await vault(1)).to.include('<p>1 box</p>');
        expect(await vault(2)).to.include('<p>2 boxes</p>');
      },
    );
  });

  it('have the texts of the languages page, if they are in the folder of views', async () => {
    folder = viewsOf('docs/languages.md');
    await World.during({ qrLogin: { views: folder } }, async (world) => {
      const page = async (language: string): Promise<string> =>
        (await new BrowserPerson(world, { 'accept-language': language }).start()).text;
      expect(await page('en')).to.include('<h1>Sign in to Test app with your phone</h1>');
      expect(await page('it-IT'))
        .to.include('<html lang="it" dir="ltr">')
        .and.include('<h1>Accedi a Test app</h1>');
      expect(await page('it'))
        .to.include('data-soon="30 secondi rimasti"')
        .and.include('Point it at the QR code.');
      expect((await new PhonePerson(world).agent.get(`${world.issuer}/qr/nothing`)).status).to.equal(404);
    });
  });
});

describe('the languages page', () => {
  it('lists each locale file, and no others', () => {
    const files = readdirSync(join(ROOT, 'views/locales'));
    const [table = ''] = docPage('docs/languages.md').text.split('## Which one');
    expect(firstColumn(table)).to.have.members(files);
  });
});

describe('the hosts page', () => {
  it('sets the same headers in nginx as the example', () => {
    const set = (text: string): string[] => text.match(/proxy_set_header .*;/g) ?? [];
    expect(set(docPage('docs/hosts.md').text)).to.deep.equal(set(read('examples/hosts/nginx.ts')));
  });
});
