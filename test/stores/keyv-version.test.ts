import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { keyvAdapter, qrLogin } from '../../src/index.ts';
import { isKeyv } from '../../src/stores/keyv-version.ts';
import { keyv6OverRedis, newKeyv6 } from '../support/keyv6.ts';
import { RedisServer } from '../support/redis.ts';
import { World } from '../support/world.ts';

const hooks = { findAccount: () => undefined, signIn: () => '/' };
const TOO_OLD = 'keyv is older than 5.6: npm install keyv@5 (npm ls keyv shows which package brings the old one)';

/** A Keyv 4, which has its options in `opts` and no `throwOnErrors`. */
const keyv4: unknown = { opts: { namespace: 'keyv' }, get: async () => undefined, set: async () => true };

describe('a Keyv of another version', () => {
  it('can be a Keyv 6, in memory', async () => {
    const store = newKeyv6();
    await World.during({ store }, (world) => expectSignIn(world));
  });

  it('can be a Keyv 6, over Redis', async () => {
    const redis = await RedisServer.start();
    const store = keyv6OverRedis(redis.url);
    try {
      await World.during({ store }, (world) => expectSignIn(world));
    } finally {
      await store.disconnect();
      await redis.stop();
    }
  });

  it('is refused with the reason if it is a Keyv 4', () => {
    expect(() => qrLogin({ ...hooks, store: keyv4 as never })).to.throw(TypeError, TOO_OLD);
    expect(() => keyvAdapter(keyv4 as never)).to.throw(TypeError, TOO_OLD);
    expect(isKeyv(keyv4)).to.equal(false);
  });

  it('is named in the error if the default store cannot be made because Keyv 4 is installed', () => {
    // A package without the export `Keyv`, which is what an ES module gets from Keyv 4.
    const keyv4Package = 'data:text/javascript,export default class {}';
    const resolve = `export const resolve = (name, context, next) =>
      name === 'keyv' ? { url: '${keyv4Package}', shortCircuit: true } : next(name, context);`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(resolve))});`;
    const program = `const { qrLogin } = await import('./src/index.ts');
      try { qrLogin({ findAccount: () => undefined, signIn: () => '/' }); } catch (error) { console.log(error.message); }`;
    const imports = ['./scripts/typescript.mjs', dataUrl(register)].map((url) => `--import=${url}`);
    const output = execFileSync(process.execPath, [...imports, '--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(output.trim()).to.equal(TOO_OLD);
  });
});

async function expectSignIn(world: World): Promise<void> {
  const { browser, phone } = await world.meet();
  await phone.scan(await browser.code());
  await phone.decide('approve');
  const arrived = await browser.arrive();
  expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
}

function dataUrl(script: string): string {
  return `data:text/javascript,${encodeURIComponent(script)}`;
}
