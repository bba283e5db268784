import { expect } from 'chai';
import { codeIn } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

/** The model found that an act on one ticket can answer with another one. */
describe('a report of a ticket that another one has replaced', () => {
  it('tells the reporter nothing of what somebody else has scanned since: the check code least of all', async () => {
    await World.during({ qrLogin: { assess: () => 'check code' } }, async (world) => {
      const browser = new BrowserPerson(world);
      const mallory = await new PhonePerson(world).signIn('alice');
      const victim = await new PhonePerson(world).signIn('bob');
      await browser.start();
      await mallory.scan(await browser.code());
      await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
      const second = await browser.code();
      await victim.scan(second);
      const { checkCode } = (await victim.approve()).json();
      expect(checkCode).to.match(/^\d{6}$/);
      const told = [await mallory.decide('report'), await mallory.look()];
      for (const { text } of told) expect(text, codeIn(second)).not.to.include(`${checkCode}`);
      // What whoever has the browser could do with it: be signed in as the victim.
      const stolen = told.map(({ text }) => /"checkCode":"(\d{6})"/.exec(text)?.[1]).find((code) => code !== undefined);
      expect((await browser.finish(stolen ?? '000000')).status).to.equal(403);
    });
  });
});
