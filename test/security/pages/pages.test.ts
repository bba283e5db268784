import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { World } from '../../support/world.ts';
import { prove } from '../attack.ts';
import { LOSSES } from './headers.ts';
import { attacks } from './pages.ts';

prove('attacks on the pages', attacks);

describe('the pages while the store is out of reach', () => {
  const html = { headers: { accept: 'text/html' } };

  it('have every security header, and show addresses as text', async () => {
    const { store, elsewhere } = Elsewhere.keyv();
    await World.during({ store }, async (world) => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      elsewhere.before = async () => {
        throw new Error('the store is out of reach');
      };
      const markup = encodeURIComponent(`"'><img src=x onerror=alert(1)>`);
      const answers: Answer[] = [
        await browser.agent.get(browser.at, html),
        await browser.agent.get(`${browser.at}/qr`),
        await browser.agent.post(`${browser.at}/qr/finish`, { form: {}, ...html }),
        await phone.agent.get(code, html),
        await phone.agent.get(`${world.issuer}/qr/tickets/${markup}`, html),
      ];
      for (const answer of answers) {
        expect(answer.status, answer.url.pathname).to.equal(503);
        expect(LOSSES.filter(({ isOpen }) => isOpen(answer)).map(({ name }) => name)).to.deep.equal([]);
        expect(answer.text).not.to.include('<img');
      }
      const made = await browser.agent.get(`${world.issuer}/interaction/${markup}`, {
        headers: { ...html.headers, cookie: await browser.agent.jar.getCookieString(browser.at) },
      });
      expect(made.status).to.equal(503);
      expect(made.text).to.include('href="/interaction/&quot;').and.not.to.include('<img');
    });
  });
});
