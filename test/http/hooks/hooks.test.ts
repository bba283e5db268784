import type { EventEmitter } from 'node:events';
import { expect } from 'chai';
import type { QrLoginOptions } from '../../../src/index.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

type Hooks = Record<string, unknown>;

/** What the browser gets of a provider with this hook, and what the host hears of it. */
async function meet(
  hooks: Hooks,
  act: (world: World) => Promise<number>,
): Promise<{ status: number; heard: string[] }> {
  const heard: string[] = [];
  let status = 0;
  const options = {
    qrLogin: hooks as Partial<QrLoginOptions>,
    extend: ({ provider }: { provider: World['provider'] }) => {
      // As Koa tells it; oidc-provider's types know its own events only.
      const koa: EventEmitter = provider;
      koa.on('error', (error: Error) => heard.push(`${error}`));
    },
  };
  await World.during(options, async (world) => {
    status = await act(world);
  });
  return { status, heard };
}

async function showCode(world: World): Promise<number> {
  return (await new BrowserPerson(world).start()).status;
}

describe('a hook that gives nonsense lets nobody in, and says what it must give:', () => {
  const WRONG: readonly (readonly [what: string, hooks: Hooks, says: string])[] = [
    [
      'consent in capitals',
      { consent: () => 'Browser' },
      'consent must give one of "browser", "phone", "implied", not "Browser"',
    ],
    [
      'a login page without its path',
      { loginPage: () => 'password' },
      'loginPage and otherWays must give a path of letters',
    ],
    ['other ways that are none', { otherWays: () => undefined }, 'otherWays must give a list, at once'],
    ['other ways that are late', { otherWays: async () => [] }, 'otherWays must give a list, at once'],
  ];

  for (const [what, hooks, says] of WRONG) {
    it(what, async () => {
      const { status, heard } = await meet(hooks, showCode);
      expect(status).to.equal(500);
      expect(heard.join()).to.include(says);
    });
  }

  it('an account without a name', async () => {
    const { status, heard } = await meet({ findAccount: () => ({}) }, async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const phone = await new PhonePerson(world).signIn();
      return (await phone.agent.get(await browser.code())).status;
    });
    expect(status).to.equal(500);
    expect(heard.join()).to.include('findAccount must give { name }, or undefined');
  });
});
