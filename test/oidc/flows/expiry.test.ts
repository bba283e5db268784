import { expect } from 'chai';
import type { ClientMetadata } from 'oidc-provider';
import type { Answer } from '../../support/agent.ts';
import { RelyingParty, send, signInByQr } from '../../support/relying-party.ts';
import { BrowserPerson, PhonePerson, RP_CALLBACK, testClient, World } from '../../support/world.ts';

describe('an expired sign-in', () => {
  const REGISTERED: Record<string, { metadata: Partial<ClientMetadata>; home?: string }> = {
    "to the RP's initiate_login_uri": {
      metadata: { initiate_login_uri: 'https://rp.example/login', client_uri: 'https://rp.example/about' },
      home: 'https://rp.example/login',
    },
    "to the RP's client_uri": {
      metadata: { client_uri: 'https://rp.example/about' },
      home: 'https://rp.example/about',
    },
    'to the origin of the redirect URI': { metadata: {}, home: 'http://rp.localhost:9' },
    'to the origin of the redirect URI that was used, if several are registered': {
      metadata: { redirect_uris: ['https://one.example/a/callback', RP_CALLBACK] },
      home: 'http://rp.localhost:9',
    },
    'nowhere if the RP is a native app': {
      metadata: { application_type: 'native', redirect_uris: ['com.example.app:/callback'] },
    },
  };
  let world: World;

  before(async () => {
    const clients = Object.values(REGISTERED).map(({ metadata }, index) => testClient(`rp-${index}`, metadata));
    world = await World.start({ clients });
  });

  after(() => world?.stop());

  const start = async (clientId: string, parameters: Record<string, string> = {}): Promise<BrowserPerson> => {
    const browser = new BrowserPerson(world);
    await send(browser, await (await RelyingParty.at(world, clientId)).url(parameters));
    return browser;
  };
  const linksIn = ({ text }: Answer): string[] =>
    [...text.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href]) => String(href));

  for (const [index, [where, { metadata, home }]] of Object.entries(REGISTERED).entries()) {
    it(`leads back ${where}`, async () => {
      const redirectUri = metadata.redirect_uris?.at(-1) ?? RP_CALLBACK;
      const browser = await start(`rp-${index}`, { redirect_uri: redirectUri });
      await world.provider.Interaction.adapter.destroy(browser.uid);
      const page = await browser.agent.get(browser.at);
      expect(page.status).to.equal(404);
      expect(page.text).to.include('data-error="no_interaction"');
      expect(linksIn(page)).to.deep.equal(home === undefined ? [] : [home]);
    });
  }

  it('leads back even if the browser has deleted the interaction cookie', async () => {
    const browser = await start('rp-2');
    const interaction = await world.provider.Interaction.find(browser.uid);
    await interaction?.destroy();
    await browser.agent.jar.store.removeCookie('localhost', `/interaction/${browser.uid}`, '_interaction');
    await browser.agent.jar.store.removeCookie('localhost', `/interaction/${browser.uid}`, '_interaction.sig');
    const page = await browser.agent.get(browser.at);
    expect(page.status).to.equal(404);
    expect(linksIn(page)).to.deep.equal(['http://rp.localhost:9']);
  });

  it('has no link for a browser that did not start it', async () => {
    const browser = await start('rp-0');
    const stranger = await start('rp-1');
    await world.provider.Interaction.adapter.destroy(browser.uid);
    const page = await stranger.agent.get(browser.at);
    expect(page.status).to.equal(404);
    expect(linksIn(page)).to.deep.equal([]);
  });

  it('is reported to scripts as JSON, and to forms as a page that leads back', async () => {
    const browser = await start('rp-2');
    await world.provider.Interaction.adapter.destroy(browser.uid);
    const answers = [
      await browser.agent.get(`${browser.at}/qr`),
      await browser.agent.get(`${browser.at}/qr?after=1`),
      await browser.agent.get(`${browser.at}/qr/events`, { headers: { accept: 'text/event-stream' } }),
      await browser.agent.post(`${browser.at}/qr/renew`, { json: {} }),
      await browser.finish(),
      await browser.agent.post(`${browser.at}/consent`, { json: {} }),
      await browser.agent.post(`${browser.at}/cancel`, { json: {} }),
    ];
    for (const answer of answers) {
      expect(answer.status, answer.url.pathname).to.equal(404);
      expect(answer.json().error, answer.url.pathname).to.equal('no_interaction');
    }
    for (const act of ['qr/renew', 'qr/finish', 'consent', 'cancel']) {
      const page = await browser.agent.post(`${browser.at}/${act}`, { form: {} });
      expect(page.status, act).to.equal(404);
      expect(linksIn(page), act).to.deep.equal(['http://rp.localhost:9']);
    }
  });

  it('signs no account in, even if the phone approved in time', async () => {
    const browser = await start('rp-2');
    const phone = await new PhonePerson(world).signIn();
    await phone.scan(await browser.code());
    await phone.approve();
    await world.provider.Interaction.adapter.destroy(browser.uid);
    expect((await browser.finish()).json().error).to.equal('no_interaction');
    const resumed = await browser.agent.get(`${world.issuer}/auth/${browser.uid}`);
    expect(resumed.status).to.equal(400);
    expect(resumed.headers.has('location')).to.equal(false);
    const rp = await RelyingParty.at(world, 'rp-2');
    const silent = await browser.goOn(await rp.url({ prompt: 'none' }));
    expect(new URL(silent.location).searchParams.get('error')).to.equal('login_required');
  });

  it('does not prevent the browser from starting again', async () => {
    const browser = await start('rp-2');
    await world.provider.Interaction.adapter.destroy(browser.uid);
    const rp = await RelyingParty.at(world, 'rp-2');
    await send(browser, await rp.url());
    const answer = await signInByQr(browser, await new PhonePerson(world).signIn());
    expect((await rp.tokens(new URL(answer.location))).claims()?.sub).to.equal('a11ce');
  });
});
