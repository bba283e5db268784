import { expect } from 'chai';
import { Keyv } from 'keyv';
import { assessByDefault } from '../../../src/index.ts';
import { IssuerKeys } from '../../../src/stores/issuer/issuer-keys.ts';
import { networkTo } from '../../support/balancer.ts';
import { forget, isSignedIn, ownBrowsers, signOut } from '../../support/own-browsers.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const OLD = 'the old secret, of at least thirty-two characters';
const NEW = 'the new secret, of at least thirty-two characters';

interface Change {
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** True if the first node runs a version that stored account ids in readable keys. */
  readonly isUpgrade: boolean;
}

const CHANGES: readonly Change[] = [
  { name: 'a rotation of the secrets', before: [OLD], after: [NEW, OLD], isUpgrade: false },
  { name: 'an upgrade from a version with readable keys', before: [NEW], after: [NEW], isUpgrade: true },
];

for (const { name, before, after, isUpgrade } of CHANGES) {
  describe(`after ${name}, the browsers of an account`, () => {
    let store: Keyv;
    let worlds: World[] = [];
    let phone: PhonePerson;
    let browser: BrowserPerson;

    /** Starts another node of the same provider. All requests go to this node from then on. */
    async function startNode(secrets: readonly string[]): Promise<World> {
      const issuer = worlds[0]?.issuer;
      const options = { store, proxy: true, qrLogin: { secrets, assess: assessByDefault } };
      const world = await World.start({ ...options, ...(issuer !== undefined && { issuer }) });
      worlds.push(world);
      return world;
    }

    const network: typeof fetch = (input, init) => {
      const [first, last] = [worlds[0], worlds.at(-1)];
      return first === undefined || last === undefined
        ? fetch(input, init)
        : networkTo(last, first.issuer)(input, init);
    };

    let restore: () => void;

    /** Sends all requests to a second node from now on: one with other secrets or, in an upgrade, one of this version. */
    async function change(): Promise<void> {
      restore();
      await startNode(after);
    }

    beforeEach(async () => {
      store = new Keyv();
      worlds = [];
      restore = isUpgrade ? useReadableKeys() : () => undefined;
      const world = await startNode(before);
      phone = await new PhonePerson(world, {}, network).signIn();
      browser = new BrowserPerson(world, {}, network);
      const checkCode = await approveSignIn();
      await browser.arriveFrom(`${(await browser.finish(checkCode)).json().redirectTo}`);
    });

    afterEach(async () => {
      restore();
      await Promise.all(worlds.map((world) => world.stop()));
    });

    /** Starts and approves a sign-in in the browser. @returns the check code, or undefined if none is demanded */
    async function approveSignIn(): Promise<string | undefined> {
      for (const { key } of await browser.agent.jar.getCookies(browser.world.issuer)) {
        if (key.startsWith('_session')) {
          await browser.agent.jar.setCookie(`${key}=; Max-Age=0; Path=/`, browser.world.issuer);
        }
      }
      await browser.start();
      await phone.scan(await browser.code());
      const { state, checkCode } = (await phone.approve({ remember: 'yes' })).json();
      expect(state).to.equal('approved');
      return checkCode === undefined ? undefined : `${checkCode}`;
    }

    it('are listed, and can be signed out together', async () => {
      await change();
      expect((await ownBrowsers(phone)).browsers).to.have.length(1);
      expect((await signOut(phone, 'all')).json()).to.include({ ended: 1 });
      expect(await isSignedIn(browser)).to.equal(false);
      expect((await ownBrowsers(phone)).browsers).to.deep.equal([]);
    });

    it('are listed once after they have been used again, and can still be signed out', async () => {
      await change();
      expect(await isSignedIn(browser)).to.equal(true);
      const { browsers } = await ownBrowsers(phone);
      expect(browsers).to.have.length(1);
      await signOut(phone, browsers[0]?.id ?? '');
      expect(await isSignedIn(browser)).to.equal(false);
    });

    it('stay trusted until they are forgotten', async () => {
      await change();
      expect((await ownBrowsers(phone)).known).to.have.length(1);
      expect(await approveSignIn()).to.equal(undefined);
      await forget(phone, 'all');
      expect((await ownBrowsers(phone)).known).to.deep.equal([]);
      expect(await approveSignIn()).to.match(/^\d{6}$/);
    });

    it('cannot resume a sign-in that was revoked before the change', async () => {
      await approveSignIn();
      const { redirectTo } = (await browser.finish()).json();
      await signOut(phone, 'all');
      await change();
      const { location } = await browser.goOn(`${redirectTo}`);
      expect(new URL(location).searchParams.get('error')).to.equal('access_denied');
    });
  });
}

/** Makes nodes use the keys of an earlier version. @returns a function that undoes that */
function useReadableKeys(): () => void {
  const { currentKey, keysOf } = IssuerKeys.prototype;
  IssuerKeys.prototype.currentKey = (_kind, entry) => entry;
  IssuerKeys.prototype.keysOf = (_kind, entry) => ({ current: entry, older: [] });
  return () => {
    IssuerKeys.prototype.currentKey = currentKey;
    IssuerKeys.prototype.keysOf = keysOf;
  };
}
