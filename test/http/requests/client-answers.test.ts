import { expect } from 'chai';
import * as client from 'openid-client';
import { QrLoginError } from '../../../src/ticket/errors.ts';
import { RequestActs } from '../../../src/ticket/requests/request-acts.ts';
import { DESK, deskClient } from '../../fixtures/test-client.ts';
import type { Answer } from '../../support/agent.ts';
import { PhonePerson } from '../../support/world.ts';
import {
  ALICE,
  type Asked,
  ask,
  type DeskWorld,
  fetchTokens,
  listed,
  MESSAGE,
  openFirst,
  phoneWithRequest,
  refusal,
  startWithDesk,
} from './requests.ts';

/** Returns the status of the userinfo endpoint for an access token. */
async function userInfoStatus({ world }: DeskWorld, accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await fetch(`${world.issuer}/me`, { headers })).status;
}

/** Makes the next call of `settle` fail, which notes in a ticket that its client has been answered. */
function failToSettle(): void {
  const { settle } = RequestActs.prototype;
  RequestActs.prototype.settle = async () => {
    RequestActs.prototype.settle = settle;
    throw new QrLoginError('store_unavailable', 'The store did not answer.');
  };
}

describe('a client that asks without a browser and polls', () => {
  let desk: DeskWorld;

  /** Sends an Approve that fails after the client of the request has got its grant. */
  async function approveHalfway(): Promise<{ readonly asked: Asked; readonly phone: PhonePerson }> {
    const asked = await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    failToSettle();
    expect((await phone.approve()).status).to.equal(503);
    return { asked, phone };
  }

  beforeEach(async () => {
    desk = await startWithDesk({ clients: [deskClient('other desk')] });
  });

  afterEach(() => desk.world.stop());

  it('waits until the phone approves, and gets tokens of this sign-in for what the phone has shown', async () => {
    const { world } = desk;
    const asked = await ask(world, { binding_message: MESSAGE, scope: 'openid profile offline_access' });
    expect(asked.answer.expires_in).to.equal(600);
    expect(await refusal(fetchTokens(asked))).to.deep.equal({ error: 'authorization_pending', status: 400 });
    const phone = await phoneWithRequest(world);
    const shown = (await phone.look()).json();
    expect(shown).to.deep.include({ state: 'scanned', backchannel: { message: MESSAGE }, grants: true, browser: {} });
    expect(shown.scopes).to.deep.equal(['openid', 'profile', 'offline_access']);
    expect((await phone.approve()).json()).to.include({ state: 'redeemed' });

    const response = { ...asked.answer, interval: 0.1 };
    const tokens = await client.pollBackchannelAuthenticationGrant(asked.configuration, response);
    expect(tokens.refresh_token).to.be.a('string');
    expect(tokens.scope).to.equal('openid profile offline_access');
    expect(tokens.claims()).to.deep.include({ sub: ALICE, amr: ['pwd', 'mca', 'user'] });
    expect(tokens.claims()?.auth_time).to.be.a('number');
    const user = await client.fetchUserInfo(asked.configuration, tokens.access_token, ALICE);
    expect(user.name).to.equal('Alice Liddell');
  });

  it('is shown without a host, because it can register any host', async () => {
    await desk.world.stop();
    const registered = {
      redirect_uris: ['https://bank.example/callback'],
      response_types: ['code' as const],
      grant_types: ['urn:openid:params:grant-type:ciba', 'authorization_code'],
      backchannel_client_notification_endpoint: 'https://bank.example/ping',
    };
    const ids = ['with redirect URIs', 'with an endpoint'];
    desk = await startWithDesk({
      clients: [
        deskClient('with redirect URIs', registered),
        deskClient('with an endpoint', { ...registered, redirect_uris: [], response_types: [] }),
      ],
    });
    for (const id of ids) await ask(desk.world, {}, id);
    const shown = ids.map((id) => ({ id, name: `The ${id}` }));
    const phone = await new PhonePerson(desk.world).signIn();
    expect((await listed(phone)).map(({ client: sender }) => sender)).to.deep.equal(shown);
    expect(desk.notified.map(([, request]) => request.client)).to.deep.equal(shown);
    await openFirst(phone);
    expect((await phone.look()).json().client).to.deep.equal(shown[0]);
  });

  it('gets tokens once, however often the user approves', async () => {
    const asked = await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    const answers = await Promise.all(Array.from({ length: 5 }, () => phone.approve()));
    expect(answers.map(({ status }) => status)).to.include(200);
    for (const answer of answers) expect([200, 503]).to.include(answer.status);
    expect((await phone.approve()).json().state).to.equal('redeemed');
    expect((await fetchTokens(asked)).access_token).to.be.a('string');
    expect((await phone.approve()).json().state).to.equal('redeemed');
    expect((await refusal(fetchTokens(asked))).error).to.equal('invalid_grant');
  });

  it('keeps no grant of a slow Approve if a second Approve was answered in the meantime', async () => {
    const { provider } = desk.world;
    const asked = await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    const { claimAnswer } = RequestActs.prototype;
    const give = provider.backchannelResult.bind(provider);
    let repeated: Answer | undefined;
    provider.backchannelResult = async (...given) => {
      provider.backchannelResult = give;
      repeated = await phone.approve();
      return give(...given);
    };
    // Let both claim the answer, as if the claim of the first Approve had ended meanwhile.
    RequestActs.prototype.claimAnswer = async () => true;
    try {
      await phone.approve();
    } finally {
      RequestActs.prototype.claimAnswer = claimAnswer;
    }
    expect(repeated?.json().state).to.equal('redeemed');
    expect((await refusal(fetchTokens(asked))).error).to.equal('invalid_grant');
  });

  it('keeps no grant if the time for the approval ends while the client gets the grant', async () => {
    const { provider, clock } = desk.world;
    const asked = await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    const give = provider.backchannelResult.bind(provider);
    provider.backchannelResult = async (...given) => {
      clock.forward(180);
      return give(...given);
    };
    expect((await phone.approve()).json()).to.include({ error: 'over', reason: 'expired' });
    expect((await refusal(fetchTokens(asked))).error).to.equal('invalid_grant');
  });

  it('gets access_denied if the user declines, and may ask once more', async () => {
    const asked = await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    expect((await phone.deny()).json()).to.include({ state: 'denied', because: 'person' });
    expect(await refusal(fetchTokens(asked))).to.deep.equal({ error: 'access_denied', status: 400 });
    expect((await phone.approve()).json()).to.include({ error: 'wrong_state', state: 'denied' });
    expect((await ask(desk.world)).answer.auth_req_id).to.be.a('string');
  });

  it('may ask again after a denial that could not reach it', async () => {
    await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    const { authReqIdOf } = RequestActs.prototype;
    // The server cannot decrypt the id of the request, as if its secrets had changed.
    RequestActs.prototype.authReqIdOf = () => undefined;
    try {
      expect((await phone.deny()).status).to.equal(500);
    } finally {
      RequestActs.prototype.authReqIdOf = authReqIdOf;
    }
    expect((await ask(desk.world)).answer.auth_req_id).to.be.a('string');
  });

  it('has a request that can be declined, but no longer approved, once the client is removed', async () => {
    for (const [decision, result] of [
      ['approve', { status: 410, error: 'over' }],
      ['deny', { status: 200, state: 'denied' }],
    ] as const) {
      await desk.world.stop();
      desk = await startWithDesk();
      await ask(desk.world);
      const phone = await phoneWithRequest(desk.world);
      const { Client } = desk.world.provider;
      const find = Client.find.bind(Client);
      Client.find = async (id) => (id === DESK ? undefined : find(id));
      const answer = await phone.decide(decision);
      expect({ status: answer.status, ...answer.json() }, decision).to.include(result);
      expect(await listed(phone), decision).to.deep.equal([]);
    }
  });

  it('gets no answer once its request has expired, and the phone can no longer approve it', async () => {
    const { world } = desk;
    const asked = await ask(world, { requested_expiry: '30' });
    expect(asked.answer.expires_in).to.equal(30);
    const phone = await phoneWithRequest(world);
    expect((await phone.look()).json().expiresIn).to.be.within(20, 30);
    const told = world.collectPayloads('qr_login.expired');
    const expired = world.nextEvent('qr_login.expired');
    world.clock.forward(30);
    expect((await phone.approve()).json()).to.include({ error: 'over', reason: 'expired' });
    expect(await listed(phone)).to.deep.equal([]);
    await expired;
    expect(told).to.have.length(1);
    expect((await refusal(fetchTokens(asked))).error).to.equal('authorization_pending');
  });

  it('gets access_denied if the phone cannot meet a demand of its request', async () => {
    const asked = await ask(desk.world, { max_age: '10' });
    const phone = await new PhonePerson(desk.world).signIn();
    await phone.backdateSignIn(60);
    await openFirst(phone);
    expect((await phone.look()).json()).to.include({ unmet: 'freshness' });
    expect((await phone.approve()).json().error).to.equal('sign_in_again');
    expect((await phone.decide('unable')).json()).to.include({ state: 'denied', because: 'freshness' });
    expect((await refusal(fetchTokens(asked))).error).to.equal('access_denied');
  });

  it('gets as auth_time the time at which the phone has signed in for its request', async () => {
    const asked = await ask(desk.world, { max_age: '10' });
    const phone = await new PhonePerson(desk.world).signIn();
    await phone.backdateSignIn(60);
    await openFirst(phone);
    const { signInAgain } = (await phone.look()).json();
    await phone.signInAt(`${signInAgain}`);
    phone.csrf = `${(await phone.look()).json().csrf}`;
    expect((await phone.approve()).json()).to.include({ state: 'redeemed' });
    const authenticatedAt = (await fetchTokens(asked)).claims()?.auth_time ?? 0;
    expect(Date.now() / 1000 - authenticatedAt).to.be.below(50);
  });

  describe('and is reported', () => {
    it('before the decision: gets access_denied, and is refused for this account alone', async () => {
      const asked = await ask(desk.world);
      const phone = await phoneWithRequest(desk.world);
      expect((await phone.decide('report')).json()).to.include({ state: 'denied', because: 'report' });
      expect((await refusal(fetchTokens(asked))).error).to.equal('access_denied');
      expect(await refusal(ask(desk.world))).to.deep.equal({ error: 'access_denied', status: 403 });
      expect((await ask(desk.world, {}, 'other desk')).answer.auth_req_id).to.be.a('string');
      expect((await ask(desk.world, { login_hint: 'bob@example.com' })).answer.auth_req_id).to.be.a('string');
    });

    it('after the approval: loses its access at once', async () => {
      const asked = await ask(desk.world, { scope: 'openid offline_access' });
      const phone = await phoneWithRequest(desk.world);
      await phone.approve();
      const { access_token: accessToken, refresh_token: refreshToken = '' } = await fetchTokens(asked);
      expect(await userInfoStatus(desk, accessToken)).to.equal(200);
      const reported = (await phone.decide('report')).json();
      expect(reported).to.include({ state: 'denied', because: 'report', hadFinished: true });
      expect(await userInfoStatus(desk, accessToken)).to.equal(401);
      const refreshed = client.refreshTokenGrant(asked.configuration, refreshToken);
      expect((await refusal(refreshed)).error).to.equal('invalid_grant');
      expect((await phone.look()).json()).to.include({ state: 'denied', because: 'report' });
    });

    it('after an Approve that failed once the client had its grant: loses its access', async () => {
      const { asked, phone } = await approveHalfway();
      const { access_token: accessToken } = await fetchTokens(asked);
      expect(await userInfoStatus(desk, accessToken)).to.equal(200);
      expect((await phone.decide('report')).json()).to.include({ state: 'denied', because: 'report' });
      expect(await userInfoStatus(desk, accessToken)).to.equal(401);
    });

    it('after such an Approve, when its ticket has expired: loses its access', async () => {
      const { asked, phone } = await approveHalfway();
      const { access_token: accessToken } = await fetchTokens(asked);
      desk.world.clock.forward(180);
      expect((await phone.decide('report')).status).to.equal(200);
      expect(await userInfoStatus(desk, accessToken)).to.equal(401);
    });

    it('during an Approve that fails after the report: gets no tokens once the user repeats the Approve or the report', async () => {
      for (const decision of ['approve', 'report']) {
        await desk.world.stop();
        desk = await startWithDesk();
        const { provider } = desk.world;
        const asked = await ask(desk.world);
        const phone = await phoneWithRequest(desk.world);
        const give = provider.backchannelResult.bind(provider);
        let reported: Answer | undefined;
        provider.backchannelResult = async (...given) => {
          provider.backchannelResult = give;
          reported = await phone.decide('report');
          return give(...given);
        };
        failToSettle();
        expect((await phone.approve()).status, decision).to.equal(503);
        // The report stands, but the client has no answer yet, so the report has to be repeated.
        expect(reported?.status, decision).to.equal(503);
        expect((await phone.decide(decision)).json().state, decision).to.equal('denied');
        expect((await refusal(fetchTokens(asked))).error, decision).to.equal('invalid_grant');
      }
    });

    it('after the approval, but before it has fetched its tokens: gets no tokens', async () => {
      const asked = await ask(desk.world);
      const phone = await phoneWithRequest(desk.world);
      await phone.approve();
      await phone.decide('report');
      expect((await refusal(fetchTokens(asked))).error).to.equal('invalid_grant');
    });
  });

  it('is refused if the assessment denies, or demands a check code, because there is no browser to type it in', async () => {
    for (const verdict of ['deny', 'check code'] as const) {
      await desk.world.stop();
      desk = await startWithDesk({ qrLogin: { assess: () => verdict } });
      const asked = await ask(desk.world);
      const phone = await new PhonePerson(desk.world).signIn();
      await openFirst(phone);
      expect((await phone.look()).json()).to.include({ state: 'denied', because: 'risk' });
      expect((await refusal(fetchTokens(asked))).error).to.equal('access_denied');
    }
  });

  it('emits the events of its ticket, marked as a request without a browser', async () => {
    const names = ['shown', 'scanned', 'approved', 'finished'];
    const told = names.map((name) => desk.world.collectPayloads(`qr_login.${name}`));
    await ask(desk.world);
    const phone = await phoneWithRequest(desk.world);
    await phone.approve();
    for (const [index, events] of told.entries()) {
      expect(events, names[index]).to.have.length(1);
      expect(events[0]).to.include({ clientId: DESK, backchannel: true });
    }
  });
});
