import { expect } from 'chai';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';
import { prove } from '../attack.ts';
import { attacks } from './limits.ts';

prove('attacks by requests beyond the limits', attacks);

describe('a client that is over a limit', () => {
  it('is told how long to wait, as JSON and on a page', async () => {
    await World.during({ qrLogin: { limits: { address: { show: 1, watch: 1 } } } }, async (world) => {
      const events: object[] = world.collectPayloads('qr_login.failed') as object[];
      const { agent } = new BrowserPerson(world);
      const at = `${world.issuer}/interaction/any`;
      for (const url of [at, `${at}/qr`]) await agent.get(url);
      const page = await agent.get(at, { headers: { accept: 'text/html' } });
      const json = await agent.get(`${at}/qr`);
      for (const answer of [page, json]) {
        expect(answer.status).to.equal(429);
        expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60);
        expect(answer.headers.get('cache-control')).to.equal('no-store');
      }
      expect(page.text).to.include('data-error="too_many_requests"');
      expect(json.json().error).to.equal('too_many_requests');
      expect(events.at(-1)).to.include({ code: 'too_many_requests' });
    });
  });

  it('may still do other acts, because each act has a separate limit', async () => {
    await World.during({ qrLogin: { limits: { address: { watch: 1 } } } }, async (world) => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      expect((await browser.agent.get(`${browser.at}/qr`)).status).to.equal(429);
      await phone.scan(code);
      await phone.approve();
      expect((await browser.finish()).status).to.equal(200);
    });
  });
});

describe('the limit of check codes', () => {
  const options = { qrLogin: { assess: () => 'check code' as const, limits: { account: { checkCode: 3 } } } };

  /** A browser that waits for the check code. */
  async function waiting(world: World): Promise<{ browser: BrowserPerson; checkCode: string }> {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    return { browser, checkCode: `${(await phone.approve()).json().checkCode}` };
  }

  it('does not count input that is not a check code', async () => {
    await World.during(options, async (world) => {
      const { browser, checkCode } = await waiting(world);
      for (let tries = 0; tries < 4; tries++) expect((await browser.finish('no digits')).status).to.equal(400);
      expect((await browser.finish(checkCode)).status).to.equal(200);
    });
  });

  it('counts no more tries for a ticket than the ticket allows', async () => {
    const limits = { account: { checkCode: 4 } };
    await World.during({ qrLogin: { ...options.qrLogin, limits } }, async (world) => {
      const attacked = await waiting(world);
      const wrong = attacked.checkCode === '000000' ? '000001' : '000000';
      await Promise.all(Array.from({ length: 20 }, () => attacked.browser.finish(wrong)));
      const { browser, checkCode } = await waiting(world);
      expect((await browser.finish(checkCode)).status).to.equal(200);
    });
  });

  it('applies to the account that has approved, and to no other', async () => {
    await World.during(options, async (world) => {
      for (let tickets = 0; tickets < 3; tickets++) {
        const { browser, checkCode } = await waiting(world);
        await browser.finish(checkCode === '000000' ? '000001' : '000000');
      }
      const { browser, checkCode } = await waiting(world);
      expect((await browser.finish(checkCode)).status).to.equal(429);
      const other = new BrowserPerson(world);
      const bob = await new PhonePerson(world).signIn('bob');
      await other.start();
      await bob.scan(await other.code());
      expect((await other.finish(`${(await bob.approve()).json().checkCode}`)).status).to.equal(200);
    });
  });
});
