import { expect } from 'chai';
import * as client from 'openid-client';
import { BrowserPerson, PhonePerson, RP_CALLBACK, World } from '../../support/world.ts';

describe('an RP that registers itself', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const METADATA = { client_name: 'Registered app', redirect_uris: [RP_CALLBACK] };
  const register = (initialAccessToken?: string): Promise<client.Configuration> =>
    client.dynamicClientRegistration(new URL(`${world.issuer}/.well-known/openid-configuration`), METADATA, undefined, {
      execute: [client.allowInsecureRequests],
      ...(initialAccessToken !== undefined && { initialAccessToken }),
    });

  it('signs users in by QR, like any other RP', async () => {
    const registered = await register(await new world.provider.InitialAccessToken({}).save());
    const { client_id } = registered.clientMetadata();
    expect(await world.provider.Client.find(client_id)).to.include({ clientName: 'Registered app' });
    const browser = new BrowserPerson(world);
    const phone = await new PhonePerson(world).signIn();
    const verifier = client.randomPKCECodeVerifier();
    const page = await browser.goOn(
      client.buildAuthorizationUrl(registered, {
        redirect_uri: RP_CALLBACK,
        scope: 'openid profile',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }),
    );
    browser.at = page.url.href;
    expect(page.text).to.include('Sign in to Registered app');

    await phone.scan(await browser.code());
    expect((await phone.look()).json().client).to.deep.equal({
      id: client_id,
      name: 'Registered app',
      host: 'rp.localhost:9',
    });
    await phone.approve();
    const tokens = await client.authorizationCodeGrant(registered, await browser.arrive(), {
      pkceCodeVerifier: verifier,
    });
    expect(tokens.claims()).to.include({ sub: 'a11ce', aud: client_id });
    const userinfo = await client.fetchUserInfo(registered, tokens.access_token, 'a11ce');
    expect(userinfo.name).to.equal('Alice Liddell');
  });

  it('needs an initial access token', async () => {
    for (const token of [undefined, 'made-up']) {
      const refused: unknown = await register(token).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(Error);
    }
  });
});
