import { expect } from 'chai';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

const STARTS = 40;
const KEPT = 8;
/**
 * Each interaction has two cookies of the plugin and four of oidc-provider. The list of interactions and its signature
 * add two.
 */
const MOST_COOKIES = KEPT * 6 + 2;

describe('unfinished attempts to sign in', () => {
  it('keep only the cookies of the last eight, and each of these can still be finished', async () => {
    await World.during({}, async (world) => {
      const browser = new BrowserPerson(world);
      const { jar } = browser.agent;
      await jar.setCookie('session_of_another_application=kept; Path=/', world.issuer);
      const started: string[] = [];
      for (let starts = 0; starts < STARTS; starts++) {
        await browser.start();
        started.push(browser.at);
      }
      const cookies = (await jar.serialize())?.cookies ?? [];
      // The jar forgets an expired cookie only when it looks for cookies on that path.
      const live = cookies.filter(({ expires }) => expires === undefined || Date.parse(`${expires}`) > Date.now());
      expect(live).to.have.length(MOST_COOKIES + 1);
      expect(await jar.getCookieString(world.issuer)).to.include('session_of_another_application=kept');

      const statuses = await Promise.all(
        started.map(async (at) => (await browser.agent.get(at, { headers: { accept: 'text/html' } })).status),
      );
      expect(statuses.lastIndexOf(404)).to.equal(STARTS - KEPT - 1);
      expect(statuses.slice(-KEPT)).to.deep.equal(Array.from({ length: KEPT }, () => 200));

      const phone = await new PhonePerson(world).signIn();
      for (const at of [started.at(-1), started.at(-KEPT)]) {
        browser.at = `${at}`;
        await phone.scan(await browser.code());
        await phone.approve();
        expect((await browser.finish()).status).to.equal(200);
      }
    });
  });

  it('are listed in a cookie below the path of the issuer, as is the interaction of the consent page', async () => {
    await World.during({ path: '/oidc' }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.arrive();
      const cookies = (await browser.agent.jar.serialize())?.cookies ?? [];
      const [list] = cookies.filter(({ key }) => key === '_qr_attempts');
      expect(list?.path).to.equal('/oidc/auth');
      expect(`${list?.value}`.split('.')).to.have.length(2);
      expect(`${list?.value}`).to.match(new RegExp(`^${browser.uid}\\.`));
    });
  });

  it('do not expire cookies that a forged list names', async () => {
    await World.during({}, async (world) => {
      const browser = new BrowserPerson(world);
      const list = Array.from({ length: KEPT + 1 }, (_, index) => `forged${index}`).join('.');
      await browser.agent.jar.setCookie(`_qr_attempts=${list}; Path=/auth`, world.issuer);
      await browser.agent.jar.setCookie(`_qr_attempts.sig=${'A'.repeat(27)}; Path=/auth`, world.issuer);
      const first = await fetch(`${world.issuer}/auth?${await query(world)}`, {
        headers: { cookie: await browser.agent.jar.getCookieString(`${world.issuer}/auth`) },
        redirect: 'manual',
      });
      expect(first.status).to.equal(303);
      expect(first.headers.getSetCookie().join()).not.to.include('forged');
    });
  });
});

async function query(world: World): Promise<string> {
  const browser = new BrowserPerson(world);
  const seen = world.nextEvent('interaction.started');
  await browser.start();
  const [ctx] = (await seen) as [{ oidc: { params: Record<string, string> } }];
  return `${new URLSearchParams(Object.entries(ctx.oidc.params).filter(([, value]) => value !== undefined))}`;
}
