import type { EventEmitter } from 'node:events';
import { expect } from 'chai';
import type { QrLoginOptions } from '../../../src/index.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

type Hooks = Record<string, unknown>;

/**
 * Runs an act at a provider with this hook. @returns the status that `act` returns, and the errors that the host gets
 */
async function meet(
  hooks: Hooks,
  act: (world: World) => Promise<number>,
): Promise<{ status: number; errors: string[] }> {
  const errors: string[] = [];
  let status = 0;
  const options = {
    qrLogin: hooks as Partial<QrLoginOptions>,
    extend: ({ provider }: { provider: World['provider'] }) => {
      // This is Koa's event, which the types of oidc-provider do not know.
      const koa: EventEmitter = provider;
      koa.on('error', (error: Error) => errors.push(`${error}`));
    },
  };
  await World.during(options, async (world) => {
    status = await act(world);
  });
  return { status, errors };
}

async function showCode(world: World): Promise<number> {
  return (await new BrowserPerson(world).start()).status;
}

describe('a hook that returns an invalid value causes a 500 and an error that names valid values:', () => {
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
    ['other ways that are no list', { otherWays: () => undefined }, 'otherWays must give a list, at once'],
    ['other ways that are a promise', { otherWays: async () => [] }, 'otherWays must give a list, at once'],
  ];

  for (const [what, hooks, says] of WRONG) {
    it(what, async () => {
      const { status, errors } = await meet(hooks, showCode);
      expect(status).to.equal(500);
      expect(errors.join()).to.include(says);
    });
  }

  it('an account without a name', async () => {
    const { status, errors } = await meet({ findAccount: () => ({}) }, async (world) => {
      const browser = new BrowserPerson(world);
      await browser.start();
      const phone = await new PhonePerson(world).signIn();
      return (await phone.agent.get(await browser.code())).status;
    });
    expect(status).to.equal(500);
    expect(errors.join()).to.include('findAccount must give { name }, or undefined');
  });
});
