import { expect } from 'chai';
import * as client from 'openid-client';
import type { QrLogin } from '../../../src/index.ts';
import { MOST_REQUESTS } from '../../../src/ticket/requests/pending-request.ts';
import { DESK, deskClient } from '../../fixtures/test-client.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { withFeatures } from '../../support/relying-party.ts';
import { CLIENT_ID, CLIENT_SECRET, PhonePerson, type World } from '../../support/world.ts';
import {
  ALICE,
  ask,
  byEmail,
  type DeskWorld,
  fetchTokens,
  listed,
  phoneWithRequest,
  refusal,
  startWithDesk,
} from './requests.ts';

const FORBIDDEN = { error: 'access_denied', status: 403 };

/** The error codes are those of CIBA Core 1.0, section 13. */
describe('a request without a browser', () => {
  let desk: DeskWorld;
  let world: World;

  before(async () => {
    desk = await startWithDesk({
      clients: Array.from({ length: MOST_REQUESTS }, (_, index) => deskClient(`desk ${index}`)),
      qrLogin: {
        ciba: {
          ...byEmail,
          findAccountByToken: (token, clientId) => (token === `alice for ${clientId}` ? ALICE : undefined),
          verifyUserCode: (_accountId, userCode, clientId) => clientId !== 'desk 1' || userCode === '4711',
        },
      },
    });
    world = desk.world;
  });

  after(() => world.stop());

  /** Approves the request that waits for alice, so that the client may send the next one. */
  async function answer(): Promise<void> {
    await (await phoneWithRequest(world)).approve();
  }

  it('is refused to a client without the grant, and to one that is not authenticated', async () => {
    expect(await refusal(ask(world, {}, CLIENT_ID))).to.deep.equal({ error: 'invalid_request', status: 400 });
    const metadata = (await world.configuration(DESK)).serverMetadata();
    const wrong = new client.Configuration(metadata, DESK, 'a wrong secret');
    client.allowInsecureRequests(wrong);
    const asking = ask({ configuration: async () => wrong });
    expect((await refusal(asking)).error).to.equal('invalid_client');
  });

  it('is refused with the same answer whether its user is unknown or was removed', async () => {
    const unknown = { error: 'unknown_user_id', status: 400 };
    expect(await refusal(ask(world, { login_hint: 'nobody@example.com' }))).to.deep.equal(unknown);
    expect(await refusal(ask(world, { login_hint_token: 'nobody' }))).to.deep.equal(unknown);
    const bob = world.accounts.find('b0b');
    world.accounts.remove('b0b');
    expect(bob).to.include({ id: 'b0b' });
    expect(await refusal(ask(world, { login_hint: 'bob@example.com' }))).to.deep.equal(unknown);
  });

  it('can name its user by a token that the deployment understands, or by an ID token of the same client', async () => {
    const asked = await ask(world, { login_hint_token: `alice for ${DESK}` });
    await answer();
    const { id_token: idToken = '' } = await fetchTokens(asked);
    expect((await ask(world, { id_token_hint: idToken })).answer.auth_req_id).to.be.a('string');
    await answer();
    expect((await refusal(ask(world, { id_token_hint: idToken }, 'desk 0'))).status).to.equal(400);
  });

  it('is refused with a binding message that the phone could not show as it is', async () => {
    const wrong = [' ', 'two\nlines', 'right\u202eto left', 'zero\u200bwidth', 'x'.repeat(41), '\u0000'];
    for (const message of wrong) {
      const answering = refusal(ask(world, { binding_message: message }));
      expect((await answering).error, JSON.stringify(message)).to.equal('invalid_binding_message');
    }
    await ask(world, { binding_message: 'Überweisung 4711 – 日本' });
    const phone = await phoneWithRequest(world);
    expect((await phone.look()).json().backchannel).to.deep.equal({ message: 'Überweisung 4711 – 日本' });
    await phone.approve();
  });

  it("is refused without the user's code, and with a wrong one", async () => {
    const asking = (userCode?: string): Promise<unknown> =>
      ask(world, { ...(userCode !== undefined && { user_code: userCode }) }, 'desk 1');
    expect(await refusal(asking())).to.deep.equal({ error: 'missing_user_code', status: 400 });
    expect(await refusal(asking('1111'))).to.deep.equal({ error: 'invalid_user_code', status: 400 });
    await asking('4711');
    await answer();
  });

  it('lasts as long as it asks for, and no longer than the provider allows', async () => {
    expect((await refusal(ask(world, { requested_expiry: '-1' }))).error).to.equal('invalid_request');
    const { answer: short } = await ask(world, { requested_expiry: '45' });
    expect(short.expires_in).to.equal(45);
    const [first] = await listed(await new PhonePerson(world).signIn());
    expect(first?.expiresIn).to.be.within(20, 45);
    await answer();
    const { answer: long } = await ask(world, { requested_expiry: '100000' });
    expect(long.expires_in).to.equal(600);
    await answer();
  });

  it('is refused while another request of its client waits: of twenty at once, one is accepted', async () => {
    const refused = world.collectPayloads('backchannel_authentication.error');
    const tries = Array.from({ length: 20 }, () =>
      ask(world).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    const errors = (await Promise.all(tries)).filter((error) => error !== undefined);
    expect(errors).to.have.length(19);
    for (const error of errors) expect(error).to.include({ error: FORBIDDEN.error, status: FORBIDDEN.status });
    // The operator learns the reason, and the client does not.
    expect(refused.map((error) => (error as { error_detail?: string }).error_detail)).to.include(
      'the user has a request of this client to decide, or too many others',
    );
    expect(JSON.stringify(errors)).not.to.contain('to decide');
    await answer();
  });

  it('is refused while too many requests of other clients wait', async () => {
    for (let at = 0; at < MOST_REQUESTS; at++) await ask(world, { user_code: '4711' }, `desk ${at}`);
    expect(await refusal(ask(world))).to.deep.equal(FORBIDDEN);
    const phone = await new PhonePerson(world).signIn();
    expect(await listed(phone)).to.have.length(MOST_REQUESTS);
    for (let at = 0; at < MOST_REQUESTS; at++) await answer();
  });

  it('leaves no record of oidc-provider if it is refused', async () => {
    const saved: unknown[] = [];
    const destroyed: unknown[] = [];
    world.provider.on('backchannel_authentication_request.saved', (request) => saved.push(request.jti));
    world.provider.on('backchannel_authentication_request.destroyed', (request) => destroyed.push(request.jti));
    await ask(world);
    await refusal(ask(world));
    expect(saved).to.have.length(2);
    expect(destroyed).to.deep.equal([saved[1]]);
    await answer();
  });
});

describe('requests without a browser that are not approved', () => {
  let desk: DeskWorld;

  beforeEach(async () => {
    desk = await startWithDesk();
  });

  afterEach(() => desk.world.stop());

  it('slow their client down, until the user approves one', async () => {
    const { world } = desk;
    const ignore = async (): Promise<void> => {
      await ask(world, { requested_expiry: '20' });
      world.clock.forward(20);
    };
    await ignore();
    await ignore();
    expect(await refusal(ask(world))).to.deep.equal(FORBIDDEN);
    world.clock.forward(60);
    await ignore();
    world.clock.forward(60);
    expect(await refusal(ask(world))).to.deep.equal(FORBIDDEN);
    world.clock.forward(4 * 60);
    await ask(world);
    await (await phoneWithRequest(world)).approve();
    await ask(world);
    await (await phoneWithRequest(world)).deny();
    await ask(world);
  });

  it('slow their client down as well if the user declines them', async () => {
    const { world } = desk;
    for (let at = 0; at < 2; at++) {
      await ask(world);
      await (await phoneWithRequest(world)).deny();
    }
    expect(await refusal(ask(world))).to.deep.equal(FORBIDDEN);
    world.clock.forward(60);
    await ask(world);
  });
});

describe('the limits of requests without a browser', () => {
  it('count the requests for an account, and say when the next one is allowed', async () => {
    const { world } = await startWithDesk({ qrLogin: { limits: { account: { request: 2 } } } });
    try {
      await ask(world);
      expect((await refusal(ask(world))).error).to.equal('access_denied');
      const error = await ask(world).catch((refused: unknown) => refused);
      expect(error).to.include({ error: 'temporarily_unavailable', status: 429 });
      const { headers } = (error as client.ResponseBodyError).response;
      expect(Number(headers.get('retry-after'))).to.be.within(1, 60);
    } finally {
      await world.stop();
    }
  });

  it('count the requests from an address before their user is looked up', async () => {
    let looked = 0;
    const findAccount = (): undefined => {
      looked += 1;
      return undefined;
    };
    const { world } = await startWithDesk({
      qrLogin: { limits: { address: { request: 3 } }, ciba: { findAccount } },
    });
    try {
      for (let at = 0; at < 3; at++) expect((await refusal(ask(world))).error).to.equal('unknown_user_id');
      expect((await refusal(ask(world))).status).to.equal(429);
      expect(looked).to.equal(3);
    } finally {
      await world.stop();
    }
  });
});

describe('a deployment that checks the context of requests without a browser itself', () => {
  const API = 'https://api.example';
  let desk: DeskWorld;

  beforeEach(async () => {
    const ciba = (): QrLogin['ciba'] => desk.world.qr.ciba;
    desk = await startWithDesk({
      clients: [deskClient('payer', { authorization_details_types: ['payment'] })],
      qrLogin: { limits: { address: { request: 3 } } },
      configuration: withFeatures({
        ciba: {
          enabled: true,
          deliveryModes: ['poll'],
          validateRequestContext: async () => undefined,
          validateBindingMessage: async () => undefined,
          processLoginHint: (ctx, hint) => ciba().processLoginHint(ctx, hint),
          verifyUserCode: (ctx, account, code) => ciba().verifyUserCode(ctx, account, code),
          triggerAuthenticationDevice: (ctx, request) => ciba().triggerAuthenticationDevice(ctx, request),
        },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: 'read', audience: API }),
        },
        richAuthorizationRequests: {
          enabled: true,
          types: { payment: { validate: () => undefined } },
          authorizationDetailsForGrantSource: () => [],
          authorizationDetailsForAccessToken: () => [],
        },
      }),
    });
  });

  afterEach(() => desk.world.stop());

  it('keeps the limit of an address, which counts each request once', async () => {
    const login_hint = 'nobody@example.com';
    for (let at = 0; at < 3; at++)
      expect((await refusal(ask(desk.world, { login_hint }))).error).to.equal('unknown_user_id');
    expect((await refusal(ask(desk.world))).status).to.equal(429);
  });

  it('keeps the refusal of details that the phone cannot show', async () => {
    const details = { authorization_details: '[{"type":"payment"}]', resource: API };
    const asking = ask(desk.world, details, 'payer');
    expect(await refusal(asking)).to.deep.equal({ error: 'invalid_request', status: 400 });
    expect(desk.notified).to.deep.equal([]);
  });

  it('gets the reason of a refusal, also if the record of oidc-provider cannot be removed', async () => {
    await ask(desk.world);
    const { prototype } = desk.world.provider.BackchannelAuthenticationRequest;
    prototype.destroy = async () => {
      throw new Error('the store does not answer');
    };
    expect(await refusal(ask(desk.world))).to.deep.equal(FORBIDDEN);
  });
});

describe('a store that does not answer to a request without a browser', () => {
  storesMayTake(GENEROUS);

  it('causes a 503 with Retry-After, and the client can ask again', async () => {
    const there = await RedisWorld.start({ clients: [deskClient()], qrLogin: { ciba: byEmail } });
    try {
      await there.world.configuration(DESK);
      there.pause();
      const body = new URLSearchParams({ scope: 'openid', login_hint: 'alice@example.com' });
      const authorization = `Basic ${Buffer.from(`${DESK}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
      const refused = await fetch(`${there.world.issuer}/backchannel`, {
        method: 'POST',
        body,
        headers: { authorization },
      });
      await there.resume();
      expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([503, '2']);
      expect((await ask(there.world)).answer.auth_req_id).to.be.a('string');
    } finally {
      await there.stop();
    }
  });
});
