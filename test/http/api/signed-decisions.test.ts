import { expect } from 'chai';
import {
  calculateJwkThumbprint,
  EmbeddedJWK,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  jwtVerify,
} from 'jose';
import type { DecisionRecord } from '../../../src/index.ts';
import { OTHER_APP, phoneApp } from '../../fixtures/phone-app.ts';
import { AppPerson, type DecisionSigner } from '../../support/app.ts';
import { BrowserPerson, World } from '../../support/world.ts';

describe('a signed decision', () => {
  let world: World;
  let records: DecisionRecord[] = [];
  let isDown = false;

  before(async () => {
    const onDecision = async (_ctx: unknown, record: DecisionRecord): Promise<void> => {
      if (isDown) throw new Error('the log is full');
      records.push(record);
    };
    world = await World.start({ qrLogin: { signedDecisions: true, onDecision } });
  });

  beforeEach(() => {
    records = [];
  });

  after(() => world?.stop());

  const scanNewTicket = async (): Promise<{ browser: BrowserPerson; app: AppPerson }> => {
    const browser = new BrowserPerson(world);
    const [app] = await Promise.all([new AppPerson(world).signIn(), browser.start()]);
    await app.scan(await browser.code());
    return { browser, app };
  };

  it('is verified and given to onDecision once, before it takes effect', async () => {
    const { browser, app } = await scanNewTicket();
    const events = world.collectPayloads('qr_login.approved') as { ticket: string; app: string }[];
    const signature = await app.sign('approve');
    expect((await app.approve({ signature })).json().state).to.equal('approved');
    expect((await app.approve({ signature })).json().state).to.equal('approved');
    const [{ time, at, ...record }, ...more] = records as [DecisionRecord];
    expect(more).to.deep.equal([]);
    expect(record).to.deep.equal({
      ticket: events[0]?.ticket,
      accountId: 'a11ce',
      app: 'phone-app',
      jwk: app.jwk,
      keyId: await app.keyId(),
      decision: 'approve',
      remember: false,
      client: { id: 'test-rp', name: 'Test app', host: 'rp.localhost:9' },
      browser: { name: 'Chrome', system: 'Windows' },
      signature,
    });
    expect(at / 1000 - time).to.be.within(0, 60);
    const verified = await jwtVerify(record.signature, EmbeddedJWK, { typ: 'qr-decision+jwt' });
    expect(await calculateJwkThumbprint(verified.protectedHeader.jwk ?? {})).to.equal(record.keyId);
    expect(events[0]?.app).to.equal('phone-app');
    expect((await browser.ticket()).state).to.equal('approved');
  });

  it('is required, and is refused if its content is wrong or another key signed it', async () => {
    const { browser, app } = await scanNewTicket();
    const other = await new AppPerson(world).signIn('bob');
    other.at = app.at;
    const wrong: Record<string, string | undefined> = {
      'asks for signed decisions': undefined,
      'must be a JWS': 'no signature',
      'with the key of the access token, or with a registered one': await signedBy(other, app),
      '"decision" must be "approve"': await app.sign('deny'),
      '"client" must be "test-rp"': await app.sign('approve', { client: 'other' }),
      '"browser" must be': await app.sign('approve', { browser: { name: 'Firefox' } }),
      '"ticket" must be': await app.sign('approve', { ticket: 'x' }),
      '"aud" must be': await app.sign('approve', { aud: 'https://other.example' }),
      '"remember" must be': await app.sign('approve', { remember: true }),
      '"time" must be': await app.sign('approve', { time: 1 }),
    };
    for (const [message, signature] of Object.entries(wrong)) {
      const { status, ...answer } = await app.approve(signature === undefined ? {} : { signature });
      expect([status, answer.json().error], message).to.deep.equal([400, 'invalid_request']);
      expect(answer.json().error_description).to.include(message);
    }
    expect([records, (await browser.ticket()).state]).to.deep.equal([[], 'scanned']);
  });

  it('does not count if onDecision fails', async () => {
    const { browser, app } = await scanNewTicket();
    const signature = await app.sign('approve');
    isDown = true;
    const faults = world.collectPayloads('server_error');
    world.collectPayloads('error');
    expect((await app.approve({ signature })).status).to.equal(500);
    expect((await browser.ticket()).state).to.equal('scanned');
    expect(faults).to.have.length(1);
    isDown = false;
    expect((await app.approve({ signature })).json().state).to.equal('approved');
    expect(records).to.have.length(1);
  });
});

describe('a decision that is signed with a registered key', () => {
  const records: DecisionRecord[] = [];
  let world: World;
  let registered: GenerateKeyPairResult;

  before(async () => {
    registered = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(registered.publicKey);
    const stranger = await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey);
    const keys = [
      { ...jwk, kid: 'decisions' },
      { ...stranger, kid: 'stranger' },
      { ...jwk, kid: 'encryption', use: 'enc' },
    ];
    world = await World.start({
      clients: [phoneApp(OTHER_APP, { jwks: { keys } })],
      qrLogin: { signedDecisions: true, onDecision: (_ctx, record) => void records.push(record) },
    });
  });

  after(() => world?.stop());

  it('is verified with the key that the header names, and is recorded with that key', async () => {
    const browser = new BrowserPerson(world);
    const [app] = await Promise.all([new AppPerson(world, { clientId: OTHER_APP }).signIn(), browser.start()]);
    await app.scan(await browser.code());
    const sign = (header: DecisionSigner['header'], key = registered.privateKey): Promise<string> =>
      app.sign('approve', {}, { header, key });
    const jwk = await exportJWK(registered.publicKey);
    for (const wrong of [
      await sign({ kid: 'unknown' }),
      await sign({ kid: 'stranger' }),
      await sign({ kid: 'encryption' }),
      await sign({}),
      await sign({ jwk }),
      await sign({ kid: 'decisions' }, app.key.privateKey),
    ]) {
      expect((await app.approve({ signature: wrong })).status).to.equal(400);
    }
    expect(records).to.deep.equal([]);
    expect((await app.approve({ signature: await sign({ kid: 'decisions' }) })).json().state).to.equal('approved');
    const [record] = records;
    expect([record?.jwk, record?.keyId]).to.deep.equal([jwk, await calculateJwkThumbprint(jwk)]);
    const { payload } = await jwtVerify(`${record?.signature}`, registered.publicKey, { typ: 'qr-decision+jwt' });
    expect(payload.decision).to.equal('approve');
  });
});

/** Returns a decision that `other` has signed about the ticket that `app` has scanned. */
async function signedBy(other: AppPerson, app: AppPerson): Promise<string> {
  const { id, client, browser } = (await app.look()).json() as Record<string, unknown> & { client: { id: string } };
  const mine = other.look;
  other.look = async () => ({ ...(await app.look()), json: () => ({ id, client, browser }) });
  const signature = await other.sign('approve');
  other.look = mine;
  return signature;
}
