import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { type Block, type DocPage, docPage, guides } from '../support/doc-pages.ts';
import { configurationAt, installed, ROOT, STRICT } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { until } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { namesGivenTo, preludeOf } from './preludes.ts';

const CODE: ReadonlySet<string> = new Set(['ts', 'js']);
/** What pages are written in, and what texts and styles are. */
const PARTS_OF_VIEWS: ReadonlySet<string> = new Set(['eta', 'css', 'json']);

const README_EXAMPLE = docPage('README.md').blocks.find(({ language }) => language === 'ts')?.code ?? '';

let folder: string;

before(function () {
  this.timeout(60_000);
  folder = installed();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});

after(() => rmSync(folder, { recursive: true }));

describe('the code in the documentation', function () {
  this.timeout(60_000);

  for (const page of guides()) {
    const code = page.blocks.filter(({ language }) => CODE.has(language));
    if (code.length === 0) continue;

    it(`compiles: ${page.path}`, async () => {
      const home = homeOf(page);
      const files = code.map((block) => [fileOf(block), sourceOf(block)] as const);
      write(home, {
        'prelude.d.ts': preludeOf(page.path),
        'configuration.js': configurationAt('http://localhost:3000/oidc'),
        'provider.js': README_EXAMPLE,
        ...Object.fromEntries(files),
      });
      const options = [...STRICT, '--noEmit', '--allowJs', '--checkJs', 'prelude.d.ts', ...files.map(([name]) => name)];
      expect(await complaints(home, options)).to.equal('');
    });

    it(`is given no more than it needs: ${page.path}`, () => {
      const all = code.map((block) => block.code).join('\n');
      expect(namesGivenTo(page.path).filter((name) => !new RegExp(`\\b${name}\\b`).test(all))).to.deep.equal([]);
    });
  }

  it('is what it says it is: JSON', () => {
    const found = guides().flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'json'));
    expect(found.length).to.be.greaterThan(2);
    for (const { code } of found) expect(JSON.parse(code)).to.be.an('object');
  });

  it('says which file each template and style sheet is, so that it can be tried', () => {
    const nameless = guides().flatMap(({ path, blocks }) =>
      blocks
        .filter(({ language, file }) => ['eta', 'css'].includes(language) && file === undefined)
        .map(({ line }) => `${path}:${line}`),
    );
    expect(nameless).to.deep.equal([]);
  });
});

describe('the programs of the documentation', function () {
  this.timeout(60_000);
  const running: ChildProcess[] = [];

  afterEach(async () => {
    await Promise.all(
      running.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill();
        await exited;
      }),
    );
  });

  function start(home: string, program: string): { child: ChildProcess; complaint: Promise<string> } {
    const child = spawn(process.execPath, [program], { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    if (child.stderr === null) throw new Error('its output is not piped');
    return { child, complaint: text(child.stderr) };
  }

  /** Waits for the line that a program says when it listens. */
  async function says(home: string, program: string, line: string): Promise<void> {
    const { child, complaint } = start(home, program);
    if (child.stdout === null) throw new Error('its output is not piped');
    for await (const said of createInterface(child.stdout)) {
      if (said === line) return;
    }
    throw new Error(`${program} did not say "${line}", but: ${await complaint}`);
  }

  it('sign a browser in with a phone, as the quick start says', async () => {
    const page = docPage('docs/quick-start.md');
    const [port, rpPort] = [await freePort(), await freePort()];
    const issuer = `http://localhost:${port}`;
    const rp = `http://localhost:${rpPort}`;
    const home = homeOf(page, 'run');
    const at = (code: string): string => code.replaceAll('3000', `${port}`).replaceAll('3001', `${rpPort}`);
    const named = page.blocks.filter(({ file }) => file !== undefined);
    expect(named.map(({ file }) => file)).to.deep.equal(['server.js', 'views/pages/password.eta', 'app.js']);
    write(home, Object.fromEntries(named.map((block) => [fileOf(block), at(block.code)])));
    await says(home, 'server.js', `The provider is at ${issuer}`);
    await says(home, 'app.js', `Open ${rp}`);

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
    expect((await phone.agent.follow(`${issuer}/qr/devices`)).text).to.include('Demo app');
  });

  it('fit on a screen or two: the provider of the quick start has less than 80 lines', () => {
    const server = docPage('docs/quick-start.md').blocks.find(({ file }) => file === 'server.js');
    expect(server?.code.trimEnd().split('\n').length).to.be.below(80);
  });

  for (const { file = '', code } of docPage('docs/hosts.md').blocks.filter(({ language }) => language === 'js')) {
    it(`mount the provider below its path, beside their own routes: ${file}`, async () => {
      const port = await freePort();
      const origin = `http://localhost:${port}`;
      const home = homeOf(docPage('docs/hosts.md'), `run-${basename(file, '.js')}`);
      write(home, {
        [file]: code.replaceAll('3000', `${port}`),
        'provider.js': README_EXAMPLE,
        'configuration.js': configurationAt(`${origin}/oidc`),
      });
      const { child } = start(home, file);
      const hello = (): Promise<Response | undefined> => fetch(`${origin}/hello`).catch(() => undefined);
      await until(async () => child.exitCode !== null || (await hello()) !== undefined, 20_000);

      const greeting = await hello();
      expect(await greeting?.text()).to.equal('Hello');
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

/** A folder of its own for each page. */
function homeOf({ path }: DocPage, what: string = 'compile'): string {
  return join(folder, `${basename(path, '.md')}-${what}`);
}

function write(home: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), content);
  }
}

/** A block without a name is called by its line, which is where the compiler's complaints lead. */
function fileOf({ file, line, language }: Block): string {
  if (file !== undefined) return file;
  if (PARTS_OF_VIEWS.has(language)) throw new Error('it has no name');
  return `line-${line}.${language}`;
}

/** Fragments are modules, so that names of theirs do not meet. */
function sourceOf({ file, code }: Block): string {
  return file === undefined ? `${code}\nexport {};\n` : code;
}

function complaints(cwd: string, options: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(join(ROOT, 'node_modules/.bin/tsc'), options, { cwd }, (error, stdout, stderr) =>
      resolve(error === null ? '' : `${stdout}${stderr}` || error.message),
    );
  });
}
