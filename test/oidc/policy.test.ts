import Router from '@koa/router';
import { expect } from 'chai';
import type { Middleware } from 'koa';
import { interactionPolicy, type Provider } from 'oidc-provider';
import { qrLoginPolicy } from '../../src/oidc/policy.ts';
import { ACCOUNT_CLIENT } from '../fixtures/account-page.ts';
import type { Answer } from '../support/agent.ts';
import { allowConsent, approve, followInProvider } from '../support/relying-party.ts';
import { BrowserPerson, type PhonePerson, World } from '../support/world.ts';

describe('a prompt that the deployment adds to the policy', () => {
  const OWN_POLICY = "default-src 'none'; form-action 'self'";
  let world: World;
  let shown: number;

  beforeEach(async () => {
    shown = 0;
    const policy = qrLoginPolicy();
    policy.add(termsPrompt(), 1);
    world = await World.start({
      configuration: {
        interactions: { policy, url: (ctx, interaction) => world.qr.interactionUrl(ctx, interaction) },
      },
      extend: ({ provider }) => provider.use(termsPage(provider)),
    });
  });

  afterEach(() => world?.stop());

  /** Requires agreement to the terms in each sign-in, except at the account page, where phones sign in. */
  const termsPrompt = (): interactionPolicy.Prompt => {
    const { Check, Prompt } = interactionPolicy;
    const check = new Check('terms', 'the terms must be agreed to', ({ oidc }) =>
      oidc.client?.clientId === ACCOUNT_CLIENT || oidc.result?.terms !== undefined
        ? Check.NO_NEED_TO_PROMPT
        : Check.REQUEST_PROMPT,
    );
    return new Prompt({ name: 'terms', requestable: false }, ({ oidc }) => ({ of: oidc.client?.clientName }), check);
  };
  const termsPage = (provider: Provider): Middleware => {
    const router = new Router()
      .get('/interaction/:uid', async (ctx) => {
        shown += 1;
        const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
        ctx.set('Content-Security-Policy', OWN_POLICY);
        ctx.body = `Agree to the ${prompt.name} of ${prompt.details.of}`;
      })
      .post('/interaction/:uid/terms', async (ctx) => {
        const result = { terms: { agreed: true } };
        ctx.status = 303;
        ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }));
      });
    return router.routes() as unknown as Middleware;
  };
  const atTerms = async (): Promise<{ browser: BrowserPerson; phone: PhonePerson; terms: Answer }> => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const { redirectTo } = (await browser.finish()).json();
    const terms = await followInProvider(browser, String(redirectTo));
    browser.at = terms.url.href;
    return { browser, phone, terms };
  };

  it("is shown on the deployment's own page after the QR step", async () => {
    const { browser } = await world.meet();
    expect(shown).to.equal(0);
    expect((await browser.ticket()).state).to.equal('waiting');
    const { terms } = await atTerms();
    expect(shown).to.equal(1);
    expect(terms.status).to.equal(200);
    expect(terms.text).to.equal('Agree to the terms of Test app');
  });

  it("has its own headers and none of the plugin's", async () => {
    const { terms } = await atTerms();
    expect(terms.headers.get('content-security-policy')).to.equal(OWN_POLICY);
    for (const ours of [
      'cache-control',
      'cross-origin-resource-policy',
      'referrer-policy',
      'x-content-type-options',
      'x-frame-options',
    ]) {
      expect(terms.headers.has(ours), ours).to.equal(false);
    }
  });

  it('comes between the QR step and the consent, and keeps the results of both', async () => {
    const { browser } = await atTerms();
    const agreed = await browser.agent.post(`${browser.at}/terms`, { form: {} });
    const consent = await followInProvider(browser, agreed.location);
    expect(consent.text).to.include('Test app asks for access');
    const arrived = await allowConsent(browser, consent);
    const claims = (await browser.tokens(new URL(arrived.location))).claims();
    expect(claims).to.include({ sub: 'a11ce', acr: 'urn:example:acr:password' });
    expect(claims?.amr).to.have.members(['pwd', 'mca', 'user']);
  });

  it('shows no code and refuses the requests of the QR step and of the consent', async () => {
    const { browser, phone } = await atTerms();
    expect(await browser.ticket())
      .to.include({ state: 'expired' })
      .and.not.have.property('qr');
    for (const act of ['qr/renew', 'qr/finish', 'consent']) {
      const refused = await browser.agent.post(`${browser.at}/${act}`, { json: {} });
      expect(refused.status, act).to.equal(409);
      expect(refused.json().error, act).to.equal('wrong_state');
    }
    expect((await phone.look()).json().state).to.equal('redeemed');
  });

  it('can be cancelled like any other', async () => {
    const { browser } = await atTerms();
    const { redirectTo } = (await browser.agent.post(`${browser.at}/cancel`, { json: {} })).json();
    const arrived = new URL((await browser.goOn(String(redirectTo))).location);
    expect(arrived.searchParams.get('error')).to.equal('access_denied');
  });

  it('is shown only to the browser of the interaction', async () => {
    const { browser } = await atTerms();
    const answer = await new BrowserPerson(world).agent.get(browser.at);
    expect(answer.status).to.equal(404);
    expect(answer.text).to.include('data-error="no_interaction"');
    expect(answer.headers.get('x-frame-options')).to.equal('DENY');
    expect(shown).to.equal(1);
  });

  it('makes prompt=none end in interaction_required', async () => {
    const { browser } = await atTerms();
    const agreed = await browser.agent.post(`${browser.at}/terms`, { form: {} });
    await allowConsent(browser, await followInProvider(browser, agreed.location));
    const arrived = new URL((await browser.start({ prompt: 'none' })).location);
    expect(arrived.searchParams.get('error')).to.equal('interaction_required');
  });
});
