import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { install } from '../hosts/install.ts';
import { Child } from '../support/child.ts';
import { installPackage } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { writeExample } from './express-example.ts';

/**
 * The packages that the example imports, apart from oidc-provider. Express finds `ejs` only in the same folder of
 * packages.
 */
const PACKAGES = {
  desm: '1.3.1',
  ejs: '3.1.10',
  express: '5.3.0',
  helmet: '8.1.0',
  lodash: '4.17.21',
  nanoid: '5.1.6',
};

const CALLBACK = 'http://localhost:9/callback';
/** Starts the example with an app to sign in to, because the example has none. */
const WITH_APP = `
import configuration from './example/support/configuration.js';
configuration.clients.push({ client_id: 'demo', client_secret: 'secret', redirect_uris: ['${CALLBACK}'] });
await import('./example/express.js');
`;

describe("oidc-provider's Express example with the documented lines", () => {
  let folder = '';
  let child: Child;
  let site: Site;

  before(async () => {
    folder = installPackage();
    const modules = join(install('express-example', PACKAGES), 'node_modules');
    for (const name of Object.keys(PACKAGES)) {
      const link = join(folder, 'node_modules', name);
      rmSync(link, { force: true });
      symlinkSync(join(modules, name), link);
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'with-app.js'), WITH_APP);
    writeExample(folder);
    const port = await freePort();
    child = await Child.start('Express example', [process.execPath, 'with-app.js'], {
      ready: /^application is listening/,
      cwd: folder,
      env: { ...process.env, PORT: `${port}`, COOKIE_KEY: 'a key of the test, which is long enough' },
    });
    site = { issuer: `http://localhost:${port}`, client: { id: 'demo', secret: 'secret', callback: CALLBACK } };
  });

  after(async () => {
    await child?.end('SIGKILL');
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  it('signs a user in with a phone, which signs in on the password page of the example', async () => {
    const browser = new BrowserVisitor(site);
    const phone = new PhoneVisitor(site);
    expect((await browser.start()).text).to.include('data-code><svg');
    const code = await browser.code();
    const landed = await submitLogin(phone, (await phone.agent.follow(code)).text);
    expect(landed).to.equal(code);
    await phone.scan(code);
    const { state, checkCode } = await phone.approve();
    expect(state).to.equal('approved');
    const finished = await browser.finish(`${checkCode}`);
    expect((await browser.tokens(finished.json().redirectTo)).claims()).to.include({ iss: site.issuer, sub: 'alice' });
  });

  it('signs a user in with a password, by the link beside the code', async () => {
    const browser = new BrowserVisitor(site);
    const page = await browser.start();
    const [, path = ''] = /href="([^"]+\/password)"/.exec(page.text) ?? [];
    const password = await browser.agent.follow(new URL(path, page.url));
    const consent = await submitLogin(browser, password.text);
    expect((await browser.tokens(consent)).claims()).to.include({ sub: 'alice' });
  });

  /** Signs in as alice on the example's password page. @returns the address to which this leads */
  async function submitLogin(visitor: BrowserVisitor | PhoneVisitor, page: string): Promise<string> {
    const [, action = ''] = /<form autocomplete="off" action="([^"]+\/login)"/.exec(page) ?? [];
    expect(action, page).not.to.equal('');
    const answer = await visitor.submit(new URL(action, site.issuer), { login: 'alice', password: 'any' });
    return (await visitor.agent.follow(new URL(answer.location, site.issuer))).url.href;
  }
});
