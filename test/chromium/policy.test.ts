import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { askToSignIn, codeOn } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

// `useStage` checks that no page of any test violates the policy. These tests check that `useStage` notices a
// violation.
describe('the content security policy', () => {
  const stage = useStage();

  const pages: Record<string, (stage: Stage) => Promise<Page>> = {
    'the QR page': async (on) => askToSignIn(on, await on.desktop()),
    'the landing page': async (on) => {
      const phone = await signedInPhone(on);
      // Block the page's script, because it would leave the page immediately.
      await phone.route('**/qr/assets/phone.js*', (route) =>
        route.fulfill({ contentType: 'text/javascript', body: '' }),
      );
      const screen = await askToSignIn(on, await on.desktop());
      return on.open(phone, await codeOn(screen));
    },
    'the confirm page': async (on) => scan(on, await askToSignIn(on, await on.desktop())),
  };

  for (const [name, open] of Object.entries(pages)) {
    it(`blocks scripts that are injected into ${name}, and requests from there to other sites`, async () => {
      stage().expectProblem(/CSP|Content Security Policy|Failed to fetch|violates/);
      const page = await open(stage());
      const noticed = page.waitForEvent('console', (message) => message.text().startsWith('CSP script-src-elem'));
      await page.evaluate(
        `const script = document.createElement('script');
         script.textContent = 'globalThis.ran = true';
         document.body.append(script);`,
      );
      expect((await noticed).text()).to.equal('CSP script-src-elem blocks inline');
      expect(await page.evaluate<boolean>(`'ran' in globalThis`)).to.equal(false);

      const answer = await page.evaluate<string>(
        `fetch('${stage().rpUrl}/', { mode: 'no-cors' }).then(() => 'sent', () => 'blocked')`,
      );
      expect(answer).to.equal('blocked');
    });
  }
});
