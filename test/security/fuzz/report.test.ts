import { expect } from 'chai';
import { codeIn } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';

/** Regression test: the model found that an act on one ticket could be answered with another ticket. */
describe('a report of a ticket that a new ticket has replaced', () => {
  it('does not reveal the new ticket to the reporter, in particular not its check code', async () => {
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
      const answers = [await mallory.decide('report'), await mallory.look()];
      for (const { text } of answers) expect(text, codeIn(second)).not.to.include(`${checkCode}`);
      // With the check code, the browser of the reporter would be signed in as the victim.
      const stolen = answers
        .map(({ text }) => /"checkCode":"(\d{6})"/.exec(text)?.[1])
        .find((code) => code !== undefined);
      expect((await browser.finish(stolen ?? '000000')).status).to.equal(403);
    });
  });
});
