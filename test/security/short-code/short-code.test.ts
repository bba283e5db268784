import { expect } from 'chai';
import { shortCodeOn, shortCodesAllowed, typeIn } from '../../support/typing.ts';
import { World } from '../../support/world.ts';
import { prove } from '../attack.ts';
import { attacks } from './short-code.ts';

prove('attacks by a short code', attacks);

describe('a short code', () => {
  it('is an unknown code in a URL, both when that URL is opened and when it is scanned', async () => {
    await World.during(shortCodesAllowed, async (world) => {
      const { browser, phone } = await world.meet();
      const shortCode = await shortCodeOn(browser);
      const unknown = await phone.land(`${world.issuer}/qr/unknown`);
      for (const spelling of [shortCode, shortCode.replace('-', ''), shortCode.toLowerCase()]) {
        const url = `${world.issuer}/qr/${spelling}`;
        const landed = await phone.land(url);
        expect([landed.status, landed.text]).to.deep.equal([unknown.status, unknown.text]);
        expect((await phone.agent.post(url, { json: { csrf: phone.csrf } })).status).to.equal(404);
      }
      expect((await browser.ticket()).state).to.equal('waiting');
    });
  });

  it('can be blocked by its rate limit while the QR code can still be scanned', async () => {
    await World.during({ qrLogin: { shortCode: true, limits: { account: { shortCode: 1 } } } }, async (world) => {
      const { browser, phone } = await world.meet();
      expect((await typeIn(phone, world, 'QLMY-2568')).status).to.equal(404);
      const refused = await typeIn(phone, world, await shortCodeOn(browser));
      expect(refused.status).to.equal(429);
      expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
      expect((await phone.scan(await browser.code())).status).to.equal(200);
    });
  });
});
