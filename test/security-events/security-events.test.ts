import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import {
  type LostSet,
  type Receiver,
  type SecurityEventOptions,
  type SecurityEvents,
  securityEvents,
} from '../../src/security-events/index.ts';
import { SIGNING_KEY } from '../fixtures/secrets.ts';
import { signInBy, signOut } from '../support/own-browsers.ts';
import { until } from '../support/until.ts';
import { BrowserPerson, PhonePerson, testClient, World } from '../support/world.ts';
import { FakeReceiver } from './fake-receiver.ts';

const AUDIENCE = 'https://rp.example/events';
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';

describe('security events', () => {
  let world: World;
  let receiver: FakeReceiver;
  let events: SecurityEvents;
  let lost: LostSet[];

  beforeEach(async () => {
    lost = [];
    receiver = await FakeReceiver.open();
    world = await World.start({
      clients: [testClient('pairwise', { subject_type: 'pairwise' }), testClient('other')],
      configuration: {
        subjectTypes: ['public', 'pairwise'],
        pairwiseIdentifier: (_ctx, accountId, client) => `${accountId} at ${client.clientId}`,
      },
    });
  });

  afterEach(async () => {
    await events?.close();
    await receiver?.close();
    await world?.stop();
  });

  function send(receivers: readonly Receiver[], more: Partial<SecurityEventOptions> = {}): void {
    const onLost = (set: LostSet): void => void lost.push(set);
    events = securityEvents(world.provider, {
      jwks: { keys: [SIGNING_KEY] },
      receivers,
      onLost,
      firstPauseMs: 1,
      ...more,
    });
  }

  const push = (more: Partial<Receiver> = {}): Receiver => ({
    audience: AUDIENCE,
    push: { endpoint: receiver.endpoint, authorization: 'Bearer secret' },
    ...more,
  });

  /** Verifies a token as a receiver does, with the keys that the provider publishes. */
  async function verify(jwt: string): Promise<JWTPayload> {
    const keys = createRemoteJWKSet(new URL(`${world.issuer}/jwks`));
    return (await jwtVerify(jwt, keys, { issuer: world.issuer, audience: AUDIENCE, typ: 'secevent+jwt' })).payload;
  }

  /** Signs a browser in, and out again from the phone. */
  async function signInAndOut(): Promise<void> {
    const phone = await new PhonePerson(world).signIn();
    const browser = new BrowserPerson(world);
    await browser.start();
    await signInBy(phone, browser);
    await signOut(phone, 'all');
  }

  it('push session-revoked, signed by the provider, after a sign-out from elsewhere', async () => {
    send([push()]);
    await signInAndOut();
    await receiver.until(1);
    const [delivery] = receiver.deliveries;
    expect(delivery?.headers).to.include({
      'content-type': 'application/secevent+jwt',
      authorization: 'Bearer secret',
    });
    expect(delivery?.headers.accept).to.equal('application/json');
    const claims = await verify(`${delivery?.jwt}`);
    expect(claims.sub_id).to.deep.equal({ format: 'iss_sub', iss: world.issuer, sub: 'a11ce' });
    expect(claims.events).to.deep.equal({ [`${CAEP}session-revoked`]: { event_timestamp: claims.iat } });
    expect(claims).not.to.have.any.keys('sub', 'exp');
    await until(async () => events.waiting(AUDIENCE) === 0);
    expect(lost).to.deep.equal([]);
  });

  it('push session-revoked after a report of a finished sign-in', async () => {
    send([push()]);
    const { browser, phone } = await world.meet();
    await signInBy(phone, browser);
    await phone.decide('report');
    await receiver.until(1);
    expect((await verify(`${receiver.deliveries[0]?.jwt}`)).events).to.have.property(`${CAEP}session-revoked`);
  });

  it('push credential-change for enrolled browsers and passkeys', async () => {
    send([push()]);
    const browser = { name: 'Firefox' };
    world.provider.emit('qr_login.enrolled', undefined, { accountId: 'a11ce', by: 'deployment', browser });
    world.provider.emit('qr_login.unenrolled', undefined, { accountId: 'a11ce', by: 'deployment', browser });
    events.passkeyChanged('a11ce', 'create', 'fido2-roaming');
    await receiver.until(3);
    const all = await Promise.all(receiver.deliveries.map(async ({ jwt }) => (await verify(jwt)).events as object));
    const details = all.map((event) => {
      const { event_timestamp: _, ...rest } = Object.values(event)[0];
      return rest;
    });
    expect(details).to.have.deep.members([
      { credential_type: 'browser-key', change_type: 'create', initiating_entity: 'admin' },
      { credential_type: 'browser-key', change_type: 'delete' },
      { credential_type: 'fido2-roaming', change_type: 'create' },
    ]);
  });

  it('name the account as the client knows it, and tell no client of sessions that it did not know of', async () => {
    const other = await FakeReceiver.open();
    try {
      send([
        push({ clientId: 'test-rp' }),
        { audience: 'https://other.example', clientId: 'other', push: { endpoint: other.endpoint } },
        { audience: 'https://pairwise.example', clientId: 'pairwise' },
      ]);
      await signInAndOut();
      await receiver.until(1);
      events.passkeyChanged('a11ce', 'delete');
      await other.until(1);
      expect(Object.keys(decodeJwt(`${other.deliveries[0]?.jwt}`).events as object)).to.deep.equal([
        `${CAEP}credential-change`,
      ]);
      const { body } = await events.poll('https://pairwise.example', { maxEvents: 1 });
      const [jwt = ''] = Object.values('sets' in body ? body.sets : {});
      expect(decodeJwt(jwt).sub_id).to.have.property('sub', 'a11ce at pairwise');
    } finally {
      await other.close();
    }
  });

  it('repeat the same token after failures, until it is accepted', async () => {
    receiver.answer = (tries) =>
      tries < 4 ? { status: [500, 302, 429][tries - 1] ?? 500, headers: { location: '/' } } : { status: 202 };
    send([push()]);
    events.passkeyChanged('a11ce', 'create');
    await receiver.until(4);
    await until(async () => events.waiting(AUDIENCE) === 0);
    expect(new Set(receiver.deliveries.map(({ jwt }) => jwt)).size).to.equal(1);
    expect(receiver.deliveries).to.have.length(4);
    expect(lost).to.deep.equal([]);
  });

  it('drop a token that the receiver refuses, and report it', async () => {
    receiver.answer = () => ({ status: 400, body: JSON.stringify({ err: 'invalid_key', description: 'no such key' }) });
    send([push()]);
    events.passkeyChanged('a11ce', 'create');
    await until(async () => lost.length === 1);
    expect(lost[0]).to.include({ audience: AUDIENCE, reason: 'refused', detail: 'invalid_key: no such key' });
    expect(receiver.deliveries).to.have.length(1);
  });

  it('give up after eight tries while the receiver is down, and go on with the next token', async () => {
    let isDown = true;
    const tries: string[] = [];
    const flaky: typeof fetch = async (url, init) => {
      tries.push(String(init?.body));
      if (isDown) throw new TypeError('fetch failed');
      return fetch(url, init);
    };
    send([push()], { fetch: flaky });
    events.passkeyChanged('a11ce', 'create');
    await until(async () => lost.length === 1);
    expect(tries).to.have.length(8);
    expect(lost[0]).to.include({ reason: 'unreachable', detail: 'fetch failed' });
    isDown = false;
    events.passkeyChanged('a11ce', 'delete');
    await receiver.until(1);
  });

  it('keep at most 1,000 for a receiver, and report the older ones', async () => {
    send([{ audience: AUDIENCE }]);
    for (let times = 0; times < 1_003; times++) events.passkeyChanged('a11ce', 'create');
    await until(async () => lost.length === 3);
    expect(events.waiting(AUDIENCE)).to.equal(1_000);
    expect(lost.every(({ reason }) => reason === 'overflow')).to.equal(true);
  });

  describe('that are polled', () => {
    const poll = async (request: unknown): Promise<Record<string, string>> => {
      const { status, body } = await events.poll(AUDIENCE, request);
      expect(status).to.equal(200);
      return 'sets' in body ? { ...body.sets } : {};
    };

    beforeEach(() => send([{ audience: AUDIENCE }]));

    it('are sent until they are acknowledged or refused', async () => {
      events.passkeyChanged('a11ce', 'create');
      events.passkeyChanged('b0b', 'create');
      await until(async () => events.waiting(AUDIENCE) === 2);
      const first = await events.poll(AUDIENCE, { maxEvents: 1, returnImmediately: true });
      expect(first.body).to.have.property('moreAvailable', true);
      const both = await poll({ returnImmediately: true });
      const [one = '', two = ''] = Object.keys(both);
      expect((await verify(`${both[one]}`)).jti).to.equal(one);
      const setErrs = { [two]: { err: 'invalid_audience', description: 'not ours' } };
      expect(await poll({ ack: [one, 'unknown'], setErrs, returnImmediately: true })).to.deep.equal({});
      expect(lost).to.deep.equal([
        { audience: AUDIENCE, jti: two, reason: 'refused', detail: 'invalid_audience: not ours' },
      ]);
    });

    it('answer a poll that waits as soon as there is one', async () => {
      const waiting = poll({});
      events.passkeyChanged('a11ce', 'create');
      expect(Object.keys(await waiting)).to.have.length(1);
    });

    it('answer at once when nothing is wanted, and when they are closed', async () => {
      expect(await poll({ maxEvents: 0 })).to.deep.equal({});
      const waiting = poll({});
      await events.close();
      expect(await waiting).to.deep.equal({});
    });

    it('refuse what is no poll', async () => {
      const wrong = [
        undefined,
        'a',
        [],
        { maxEvents: -1 },
        { maxEvents: 1.5 },
        { returnImmediately: 1 },
        { ack: 'a' },
        { ack: [1] },
        { setErrs: [] },
      ];
      for (const request of wrong) {
        const { status, body } = await events.poll(AUDIENCE, request);
        expect([status, 'err' in body && body.err], JSON.stringify(request)).to.deep.equal([400, 'invalid_request']);
      }
    });
  });

  it('need a private key, one receiver for each audience, and https', async () => {
    const { kty, n, e } = SIGNING_KEY as Record<string, unknown>;
    expect(() => send([], { jwks: { keys: [{ kty, n, e }] } })).to.throw(TypeError, 'private key');
    expect(() => send([{ audience: 'a' }, { audience: 'a' }])).to.throw(TypeError, 'two receivers');
    const endpoint = 'http://rp.example/events';
    expect(() => send([{ audience: 'a', push: { endpoint } }])).to.throw(TypeError, 'https');
  });
});
