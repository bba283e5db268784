/** Follows the first section of docs/apps.md step by step with the installed package. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ENVIRONMENT } from '../examples/example-program.ts';
import type { Answer } from '../support/agent.ts';
import { Child } from '../support/child.ts';
import { docPage } from '../support/doc-pages.ts';
import { installPackage } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { until } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

const XSRF = /name="xsrf" value="([^"]+)"/;

describe('the first app of the documentation', () => {
  let folder: string;
  const running: Child[] = [];

  before(() => {
    folder = installPackage();
  });

  after(async () => {
    await Promise.all(running.map((child) => child.end('SIGKILL')));
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('signs a browser in, if it is made from the files in docs/quick-start.md and docs/apps.md', async () => {
    const [port, rpPort] = [await freePort(), await freePort()];
    const issuer = `http://localhost:${port}`;
    const at = (code: string): string => code.replaceAll('3000', `${port}`).replaceAll('3001', `${rpPort}`);
    const home = join(folder, 'walk');
    mkdirSync(home);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const quickStart = docPage('docs/quick-start.md').blocks;
    const page = docPage('docs/apps.md').blocks;
    const [diff] = page.filter(({ language }) => language === 'diff');
    for (const { file, code } of [...quickStart, ...page])
      if (file?.endsWith('.js')) writeFileSync(join(home, file), code);
    // Hide a repository that encloses the folder, because `git apply` could take the paths as relative to its root. Git
    // always searches the current folder, so the limit is its parent.
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: folder };
    execFileSync('git', ['apply', '--whitespace=error-all', '-'], { cwd: home, env, input: diff?.code });
    const texts = [...quickStart, ...page].flatMap(({ file }) => (file?.endsWith('.js') ? [file] : []));
    expect(texts).to.deep.equal(['provider.js', 'app.js', 'phone.js']);
    execFileSync('sed', ['-i', `s/3000/${port}/g; s/3001/${rpPort}/g`, ...texts], { cwd: home });

    for (const [program, line] of [
      ['provider.js', at('The provider is at http://localhost:3000')],
      ['app.js', at('Open http://localhost:3001')],
    ] as const) {
      const ready = new RegExp(`^${line}$`);
      running.push(await Child.start(program, [process.execPath, program], { ready, cwd: home, env: ENVIRONMENT }));
    }
    const phone = spawn(process.execPath, ['phone.js'], { cwd: home, env: ENVIRONMENT });
    const ended = once(phone, 'close');
    let output = '';
    phone.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    /** Waits until the app has printed a text. */
    const untilPrinted = async (pattern: RegExp): Promise<string> => {
      await until(() => pattern.test(output));
      return pattern.exec(output)?.[1] ?? '';
    };
    try {
      await signInAt(issuer, await untilPrinted(/Open (\S+) and sign in/));
      const browser = new BrowserVisitor({ issuer, client: { id: 'demo', secret: '', callback: '' } });
      browser.at = (await browser.agent.follow(`http://localhost:${rpPort}`)).url.href;
      await untilPrinted(/The address in the code: /);
      phone.stdin.write(`${await browser.code()}\n`);
      await untilPrinted(/Sign Chrome in to demo as Alice Liddell\? \[y\/N\] /);
      phone.stdin.write('y\n');
      const checkCode = await untilPrinted(/Type (\d{6}) into the browser\./);
      const finished = await browser.finish(checkCode);
      const consent = await browser.agent.follow(`${finished.json().redirectTo}`);
      const granted = await browser.post(`${consent.url}/consent`, {});
      const { text } = await browser.agent.follow(`${granted.json().redirectTo}`);
      expect(text).to.match(/^Signed in: .*"sub": "1"/s);
      expect((await ended)[0]).to.equal(0);
    } finally {
      phone.kill('SIGKILL');
    }
  });
});

/** Confirms the device code and signs in with the password, as the user of the app does in a browser. */
async function signInAt(issuer: string, address: string): Promise<void> {
  const user = new PhoneVisitor({ issuer, client: { id: '', secret: '', callback: '' } });
  const userCode = `${new URL(address).searchParams.get('user_code')}`;
  const submit = (page: Answer, more: Record<string, string> = {}): Promise<Answer> =>
    user.submit(`${issuer}/device`, { xsrf: XSRF.exec(page.text)?.[1] ?? '', user_code: userCode, ...more });
  const confirm = await submit(await user.agent.get(address));
  const started = await submit(confirm, { confirm: 'yes' });
  const password = await user.agent.follow(new URL(started.location, issuer));
  const signedIn = await user.submit(password.url, { name: 'alice', password: 'wonderland' });
  const consent = await user.agent.follow(new URL(signedIn.location, issuer));
  const granted = await user.post(`${consent.url}/consent`, {});
  expect((await user.agent.follow(`${granted.json().redirectTo}`)).text).to.include('Sign-in Success');
}
