import { expect } from 'chai';
import {
  refreshTokenGrant,
  useCodeIdTokenResponseType,
  useIdTokenResponseType,
  useJwtResponseMode,
} from 'openid-client';
import type { Answer } from '../../support/agent.ts';
import {
  allowConsent,
  errorOf,
  fieldsIn,
  followInProvider,
  RelyingParty,
  send,
  signInByQr,
  withFeatures,
} from '../../support/relying-party.ts';
import { BrowserPerson, PhonePerson, RP_CALLBACK, testClient, World } from '../../support/world.ts';

/** The provider accepts only https redirect URIs for ID tokens in the URL. */
const SECURE_CALLBACK = 'https://rp.example/callback';

describe('the authorization response after the QR step', () => {
  let world: World;

  before(async () => {
    world = await World.start({
      clients: [
        testClient('code-rp'),
        testClient('offline-rp', { grant_types: ['authorization_code', 'refresh_token'] }),
        testClient('hybrid-rp', {
          redirect_uris: [SECURE_CALLBACK],
          response_types: ['code id_token', 'id_token'],
          grant_types: ['authorization_code', 'implicit'],
        }),
      ],
      configuration: {
        ...withFeatures({
          webMessageResponseMode: { enabled: true, ack: 'individual-draft-01' },
          jwtResponseModes: { enabled: true },
        }),
        rotateRefreshToken: true,
      },
    });
  });

  after(() => world?.stop());

  type Kind = Parameters<typeof RelyingParty.at>[2][];
  interface StartedSignIn {
    readonly rp: RelyingParty;
    readonly browser: BrowserPerson;
    readonly phone: PhonePerson;
  }
  const meet = async (clientId: string, parameters: Record<string, string>, ...kind: Kind): Promise<StartedSignIn> => {
    const rp = await RelyingParty.at(world, clientId, ...kind);
    const browser = new BrowserPerson(world);
    const phone = await new PhonePerson(world).signIn();
    await send(browser, await rp.url(parameters));
    return { rp, browser, phone };
  };
  /** Returns the request that the response page posts to the RP. */
  const postedRequest = ({ text }: Answer): Request => {
    expect(text).to.include(`<form method="post" action="${RP_CALLBACK}">`);
    return new Request(RP_CALLBACK, { method: 'POST', body: new URLSearchParams(fieldsIn(text)) });
  };
  /** Returns the message that the response page sends to the window that opened it. */
  const messageIn = ({ text }: Answer): { response: Record<string, string>; redirect_uri: string } =>
    JSON.parse(/var data = (\{.*\});/.exec(text)?.[1] ?? '');
  const denySignIn = async ({ browser, phone }: StartedSignIn): Promise<Answer> => {
    await phone.scan(await browser.code());
    await phone.deny();
    return followInProvider(browser, String((await browser.finish()).json().redirectTo));
  };

  it('is in the query by default', async () => {
    const { rp, browser, phone } = await meet('code-rp', {});
    const arrived = new URL((await signInByQr(browser, phone)).location);
    expect(arrived.hash).to.equal('');
    expect([...arrived.searchParams.keys()]).to.have.members(['code', 'state', 'iss']);
    expect((await rp.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });

  it('is in the fragment if the RP requests that', async () => {
    const { rp, browser, phone } = await meet('code-rp', { response_mode: 'fragment' });
    const arrived = new URL((await signInByQr(browser, phone)).location);
    expect(arrived.search).to.equal('');
    const query = new URL(`?${arrived.hash.slice(1)}`, RP_CALLBACK);
    expect((await rp.tokens(query)).claims()?.sub).to.equal('a11ce');
  });

  it('is a form that submits itself if the RP requests that, and no header of the plugin prevents it', async () => {
    const { rp, browser, phone } = await meet('code-rp', { response_mode: 'form_post' });
    const answer = await signInByQr(browser, phone);
    expect(answer.status).to.equal(200);
    expect(answer.headers.has('content-security-policy')).to.equal(false);
    expect((await rp.tokens(postedRequest(answer))).claims()?.sub).to.equal('a11ce');
  });

  it('is a form that submits itself even after a denial', async () => {
    const answer = await denySignIn(await meet('code-rp', { response_mode: 'form_post' }));
    expect(fieldsIn(answer.text)).to.include({ error: 'access_denied', iss: world.issuer });
  });

  it('is a message to the opener window if the RP requests that', async () => {
    const { rp, browser, phone } = await meet('code-rp', { response_mode: 'web_message' });
    const answer = await signInByQr(browser, phone);
    expect(answer.headers.has('x-frame-options')).to.equal(false);
    const { response, redirect_uri: target } = messageIn(answer);
    expect(target).to.equal(RP_CALLBACK);
    const query = new URL(`?${new URLSearchParams(response)}`, RP_CALLBACK);
    expect((await rp.tokens(query)).claims()?.sub).to.equal('a11ce');
  });

  it('is a message even after a denial', async () => {
    const answer = await denySignIn(await meet('code-rp', { response_mode: 'web_message' }));
    expect(messageIn(answer).response).to.include({ error: 'access_denied', iss: world.issuer });
  });

  it('is a signed token if the RP requests that (JARM)', async () => {
    const { rp, browser, phone } = await meet('code-rp', {}, useJwtResponseMode);
    const arrived = new URL((await signInByQr(browser, phone)).location);
    expect([...arrived.searchParams.keys()]).to.deep.equal(['response']);
    expect((await rp.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });

  it('has an authorization code and an ID token in a hybrid flow', async () => {
    const { rp, browser, phone } = await meet(
      'hybrid-rp',
      { redirect_uri: SECURE_CALLBACK },
      useCodeIdTokenResponseType,
    );
    const arrived = new URL((await signInByQr(browser, phone)).location);
    expect(arrived.href.startsWith(`${SECURE_CALLBACK}#`)).to.equal(true);
    expect((await rp.tokens(arrived)).claims()).to.include({ sub: 'a11ce', aud: 'hybrid-rp' });
  });

  it('has an ID token alone in an implicit flow', async () => {
    const { rp, browser, phone } = await meet('hybrid-rp', { redirect_uri: SECURE_CALLBACK }, useIdTokenResponseType);
    const arrived = new URL((await signInByQr(browser, phone)).location);
    const claims = await rp.idToken(arrived);
    expect(claims).to.include({ sub: 'a11ce', acr: 'urn:example:acr:password' });
    expect(claims.amr).to.include('mca');
  });

  it('leads to refresh tokens that each work once, if the RP requests offline access', async () => {
    const { rp, browser, phone } = await meet('offline-rp', { scope: 'openid offline_access', prompt: 'consent' });
    await phone.scan(await browser.code());
    expect((await phone.look()).json().scopes).to.deep.equal(['openid', 'offline_access']);
    await phone.approve();
    const consent = await followInProvider(browser, String((await browser.finish()).json().redirectTo));
    expect(consent.text).to.include('keep this access while you are away');
    const first = await rp.tokens(new URL((await allowConsent(browser, consent)).location));

    const second = await refreshTokenGrant(rp.configuration, first.refresh_token ?? '');
    expect(second.refresh_token).to.be.a('string').and.not.equal(first.refresh_token);
    expect(second.claims()).to.include({ sub: 'a11ce', auth_time: first.claims()?.auth_time });
    const third = await refreshTokenGrant(rp.configuration, second.refresh_token ?? '');
    expect(third.claims()?.sub).to.equal('a11ce');
    const reused = refreshTokenGrant(rp.configuration, first.refresh_token ?? '');
    expect(await errorOf(reused)).to.equal('invalid_grant');
    const revoked = refreshTokenGrant(rp.configuration, third.refresh_token ?? '');
    expect(await errorOf(revoked)).to.equal('invalid_grant');
  });

  it('leads to no refresh token if the user was not asked for offline access', async () => {
    const { rp, browser, phone } = await meet('offline-rp', { scope: 'openid offline_access' });
    await phone.scan(await browser.code());
    expect((await phone.look()).json().scopes).to.deep.equal(['openid']);
    await phone.approve();
    const answer = await followInProvider(browser, String((await browser.finish()).json().redirectTo));
    const tokens = await rp.tokens(new URL((await allowConsent(browser, answer)).location));
    expect(tokens).not.to.have.property('refresh_token');
  });
});
