import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import { ENVIRONMENT } from '../examples/example-program.ts';
import { Child } from '../support/child.ts';
import { type Block, type DocPage, docPage, guides } from '../support/doc-pages.ts';
import { installPackage, ROOT, STRICT } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { until } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { namesGivenTo, preludeOf } from './preludes.ts';

const CODE: ReadonlySet<string> = new Set(['ts', 'js']);
/** The languages of files in a folder of views: templates, styles and texts. */
const PARTS_OF_VIEWS: ReadonlySet<string> = new Set(['eta', 'css', 'json']);

const README_EXAMPLE = docPage('README.md').blocks.find(({ language }) => language === 'ts')?.code ?? '';
const README_ISSUER = 'http://localhost:3000';
/** A line in the README's example that represents omitted lines of the quick start. */
const LEFT_OUT = /^ *\/\/ …\n/m;

let folder: string;

before(() => {
  folder = installPackage();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});

after(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

describe('the code in the documentation', () => {
  const pages = guides().flatMap((page) => {
    const code = page.blocks.filter(({ language }) => CODE.has(language));
    return code.length === 0 ? [] : [{ ...page, code }];
  });
  /** The compiler's error lines. */
  let complaints: string[];

  // Each page is a separate project, because pages may use the same names. A single compiler run for all projects reads
  // the types once.
  before(async () => {
    for (const page of pages) writeProject(page, page.code);
    const references = pages.map((page) => ({ path: homeOf(page) }));
    write(folder, { 'tsconfig.json': JSON.stringify({ files: [], references }) });
    complaints = await build(folder);
  });

  it('compiles without errors outside of the pages', () => {
    const paths = pages.map((page) => basename(homeOf(page)));
    expect(complaints.filter((line) => !paths.some((path) => line.startsWith(`${path}/`)))).to.deep.equal([]);
  });

  for (const page of pages) {
    it(`compiles: ${page.path}`, () => {
      const path = basename(homeOf(page));
      expect(complaints.filter((line) => line.startsWith(`${path}/`))).to.deep.equal([]);
    });

    it(`uses every name that its prelude declares: ${page.path}`, () => {
      const all = page.code.map((block) => block.code).join('\n');
      expect(namesGivenTo(page.path).filter((name) => !new RegExp(`\\b${name}\\b`).test(all))).to.deep.equal([]);
    });
  }

  it('shows in the README an excerpt of the provider of the quick start', () => {
    const program = `\n${readFileSync(join(ROOT, 'examples/minimal/provider.js'), 'utf8')}`;
    const excerpts = README_EXAMPLE.split(LEFT_OUT);
    expect(excerpts).to.have.length.above(1);
    let end = 0;
    for (const excerpt of excerpts) {
      const start = program.indexOf(`\n${excerpt}`, end);
      expect(start, `not among the next lines of examples/minimal/provider.js:\n${excerpt}`).to.be.at.least(0);
      end = start + excerpt.length;
    }
  });

  it('parses as JSON in each block that is marked as JSON', () => {
    const found = guides().flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'json'));
    expect(found.length).to.be.greaterThan(2);
    for (const { code } of found) expect(JSON.parse(code)).to.be.an('object');
  });

  it('names the file of each template and style sheet, so that tests can use it', () => {
    const nameless = guides().flatMap(({ path, blocks }) =>
      blocks
        .filter(({ language, file }) => ['eta', 'css'].includes(language) && file === undefined)
        .map(({ line }) => `${path}:${line}`),
    );
    expect(nameless).to.deep.equal([]);
  });
});

describe('the programs of the documentation', () => {
  const running: Child[] = [];

  afterEach(() => Promise.all(running.splice(0).map((child) => child.end('SIGKILL'))));

  /** Starts a program, and waits for the line that it prints when it listens. */
  async function startProgram(home: string, program: string, line: string): Promise<void> {
    const ready = new RegExp(`^${line.replaceAll('.', '\\.')}$`);
    running.push(await Child.start(program, [process.execPath, program], { ready, cwd: home, env: ENVIRONMENT }));
  }

  it('sign a browser in with a phone, as the quick start says', async () => {
    const page = docPage('docs/quick-start.md');
    const [port, rpPort] = [await freePort(), await freePort()];
    const issuer = `http://localhost:${port}`;
    const rp = `http://localhost:${rpPort}`;
    const home = homeOf(page, 'run');
    const at = (code: string): string => code.replaceAll('3000', `${port}`).replaceAll('3001', `${rpPort}`);
    const named = page.blocks.filter(({ file }) => file !== undefined);
    expect(named.map(({ file }) => file)).to.deep.equal(['provider.js', 'app.js']);
    for (const { file, code } of named)
      expect(code).to.equal(readFileSync(join(ROOT, `examples/minimal/${file}`), 'utf8'));
    write(home, Object.fromEntries(named.map((block) => [fileOf(block), at(block.code)])));
    await startProgram(home, 'provider.js', `The provider is at ${issuer}`);
    await startProgram(home, 'app.js', `Open ${rp}`);

    const site = { issuer, client: { id: 'demo', secret: '', callback: '' } };
    const browser = new BrowserVisitor(site);
    const phone = new PhoneVisitor(site);
    const shown = await browser.agent.follow(rp);
    expect(shown.text).to.include('Sign in with a password').and.include('<bdi>My ID</bdi>');
    browser.at = shown.url.href;
    const code = await browser.code();
    const password = await phone.agent.follow(code);
    expect(password.text).to.include('autocomplete="username"').and.not.to.include('undefined');
    const wrong = await phone.submit(password.url, { name: 'alice', password: 'alice' });
    expect(wrong.text).to.include('Name or password is wrong.');
    expect((await phone.signInAt(code)).url.href).to.equal(code);
    await phone.scan(code);
    const { state, checkCode } = await phone.approve();
    expect(state).to.equal('approved');

    const finished = await browser.finish(`${checkCode}`);
    const consent = await browser.agent.follow(`${finished.json().redirectTo}`);
    const granted = await browser.post(`${consent.url}/consent`, {});
    const { text: arrived } = await browser.agent.follow(`${granted.json().redirectTo}`);
    expect(arrived).to.match(/^Signed in: /);
    const claims: Record<string, unknown> = JSON.parse(arrived.replace('Signed in: ', ''));
    expect(claims).to.include({ sub: '1', iss: issuer });
    expect(claims.amr).to.have.members(['pwd', 'mca', 'user']);
    expect((await phone.agent.follow(`${issuer}/qr/devices`)).text).to.include('demo');
  });

  it('are short: the provider of the quick start has at most 90 lines', () => {
    const provider = docPage('docs/quick-start.md').blocks.find(({ file }) => file === 'provider.js');
    expect(provider?.code.trimEnd().split('\n').length).to.be.at.most(90);
  });

  describe('that mount the provider in a host', () => {
    const programs = docPage('docs/hosts.md').blocks.filter(({ language }) => language === 'js');
    const origins = new Map<string, string>();
    let child: Child | undefined;

    // One process runs all of them, because loading their common dependencies takes most of the time.
    before(async () => {
      for (const { file = '', code } of programs) {
        const port = await freePort();
        const origin = `http://localhost:${port}`;
        origins.set(file, origin);
        write(join(folder, 'hosts-run', basename(file, '.js')), {
          [file]: code.replaceAll('3000', `${port}`),
          'provider.js': README_EXAMPLE.replace(README_ISSUER, `${origin}/oidc`),
        });
      }
      const imports = programs.map(({ file = '' }) => `import './${basename(file, '.js')}/${file}';`);
      write(folder, { 'hosts-run/all.js': [...imports, `console.log('started');`].join('\n') });
      const command = [process.execPath, 'all.js'];
      child = await Child.start('the hosts', command, {
        ready: /^started$/,
        cwd: join(folder, 'hosts-run'),
        env: ENVIRONMENT,
      });
    });

    after(() => child?.end('SIGKILL'));

    for (const { file = '' } of programs) {
      it(`serve the provider below its path, beside their own routes: ${file}`, async () => {
        const origin = origins.get(file);
        const hello = (): Promise<Response | undefined> => fetch(`${origin}/hello`).catch(() => undefined);
        await until(async () => !child?.alive || (await hello()) !== undefined);
        const greeting = await hello();
        expect(await greeting?.text(), child?.complaints.join('\n')).to.equal('Hello');
        const metadata = await (await fetch(`${origin}/oidc/.well-known/openid-configuration`)).json();
        expect(metadata).to.include({ issuer: `${origin}/oidc`, token_endpoint: `${origin}/oidc/token` });
        const page = await fetch(`${origin}/oidc/qr/nothing`, { headers: { accept: 'text/html' } });
        expect(page.status).to.equal(404);
        const [, style = ''] = /href="([^"]+style\.css[^"]*)"/.exec(await page.text()) ?? [];
        expect(style.startsWith('/oidc/qr/assets/')).to.equal(true);
        expect((await fetch(new URL(style, origin))).status).to.equal(200);
      });
    }
  });
});

/** Returns the folder of a page. */
function homeOf({ path }: DocPage, purpose: string = 'compile'): string {
  return join(folder, `${basename(path, '.md')}-${purpose}`);
}

function write(home: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), content);
  }
}

/**
 * Returns the file name of a block. A block without a name is named after its line, so that compiler errors lead to it.
 */
function fileOf({ file, line, language }: Block): string {
  if (file !== undefined) return file;
  if (PARTS_OF_VIEWS.has(language)) throw new Error('the block has no file name');
  return `line-${line}.${language}`;
}

/** Returns the source of a block. Fragments become modules, so that their names do not collide. */
function sourceOf({ file, code }: Block): string {
  return file === undefined ? `${code}\nexport {};\n` : code;
}

/** Writes the TypeScript project of a page. */
function writeProject(page: DocPage, code: readonly Block[]): void {
  const files = code.map((block) => [fileOf(block), sourceOf(block)] as const);
  write(homeOf(page), {
    'prelude.d.ts': preludeOf(page.path),
    'provider.js': README_EXAMPLE,
    ...Object.fromEntries(files),
    'tsconfig.json': JSON.stringify({
      compilerOptions: { ...STRICT, noEmit: true, allowJs: true, checkJs: true },
      files: ['prelude.d.ts', ...files.map(([name]) => name)],
    }),
  });
}

/** Compiles the projects that a folder refers to. @returns the compiler's error lines */
function build(cwd: string): Promise<string[]> {
  return new Promise((resolve) => {
    execFile(join(ROOT, 'node_modules/.bin/tsc'), ['--build'], { cwd }, (error, stdout, stderr) => {
      const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
      resolve(error !== null && lines.length === 0 ? [error.message] : lines);
    });
  });
}
