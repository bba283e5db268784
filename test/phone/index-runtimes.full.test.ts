import { expect } from 'chai';
import { exportJWK } from 'jose';
import { ENVIRONMENT, ROOT } from '../examples/example-program.ts';
import { installRuntime, RUNTIME_NAMES } from '../hosts/runtimes.ts';
import { AppPerson } from '../support/app.ts';
import { Child } from '../support/child.ts';
import { BrowserPerson, World } from '../support/world.ts';

const NODE = { command: [process.execPath], env: ENVIRONMENT };

describe('the built library', () => {
  for (const name of ['Node', ...RUNTIME_NAMES]) {
    it(`approves a sign-in and watches it to its end: ${name}`, () =>
      World.during({}, async (world) => {
        const { command, env } = name === 'Node' ? NODE : installRuntime(name);
        const [app, browser] = [await new AppPerson(world).signIn('alice'), new BrowserPerson(world)];
        await browser.start();
        const jwk = JSON.stringify(await exportJWK(app.key.privateKey));
        const script = ['test/phone/whole-sign-in.js', world.issuer, app.accessToken, jwk, await browser.code()];
        const child = await Child.start(name, [...command, ...script], { ready: /^approved$/, cwd: ROOT, env });
        expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
        expect(await child.ended).to.include({ code: 0 });
        expect(child.lines).to.deep.equal(['scanned', 'approved', 'finished']);
      }));
  }
});
