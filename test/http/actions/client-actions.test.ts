import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { ApprovalRefused, readApproval } from '../../../src/approval/index.ts';
import { SIGNING_KEY } from '../../fixtures/secrets.ts';
import { SHOP, shopClient } from '../../fixtures/test-client.ts';
import type { Answer } from '../../support/agent.ts';
import { CLIENT_SECRET, PhonePerson, RP_CALLBACK, World } from '../../support/world.ts';
import { ActionBrowser, ALICE, PAYMENT } from './actions.ts';

const OTHER_SHOP = 'other-shop';
const PAIRWISE = 'pairwise-shop';

describe('a client that asks for an action:', () => {
  let world: World;
  let token: string;

  before(async () => {
    world = await World.start({
      clients: [
        shopClient(),
        shopClient(OTHER_SHOP),
        shopClient(PAIRWISE, { subject_type: 'pairwise' }),
        shopClient('refused'),
      ],
      configuration: {
        subjectTypes: ['public', 'pairwise'],
        pairwiseIdentifier: (_ctx, accountId) => `pairwise-${accountId}`,
      },
      qrLogin: {
        actions: {
          clients: [SHOP, OTHER_SHOP, PAIRWISE],
          jwks: { keys: [SIGNING_KEY] },
          findAccount: (hint) => (hint === 'alice@example.com' ? ALICE : undefined),
        },
      },
    });
    token = await tokenOf(SHOP);
  });

  after(() => world?.stop());

  async function tokenOf(client: string, scope = 'qr_action'): Promise<string> {
    const body = new URLSearchParams({ grant_type: 'client_credentials', scope });
    const authorization = `Basic ${Buffer.from(`${client}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
    const answer = await fetch(`${world.issuer}/token`, { method: 'POST', body, headers: { authorization } });
    const { access_token: issued } = (await answer.json()) as { access_token?: string };
    if (issued === undefined) throw new Error(`no token: ${answer.status}`);
    return issued;
  }

  const send = async (path: string, { as = token, body }: { as?: string; body?: object } = {}): Promise<Answer> => {
    const browser = new ActionBrowser(world);
    const headers = { authorization: `Bearer ${as}` };
    return body === undefined
      ? browser.agent.get(`${world.issuer}${path}`, { headers })
      : browser.agent.post(`${world.issuer}${path}`, { headers, json: body });
  };
  const ask = (more: object = {}, as = token): Promise<Answer> =>
    send('/qr/actions', { as, body: { ...PAYMENT, sub: ALICE, ...more } });
  const resultOf = (id: unknown, as = token, wait = 0): Promise<Answer> =>
    send(`/qr/actions/${id}/result?wait=${wait}`, { as });

  /** Opens the page of an action, scans its code and approves. */
  async function approve(url: unknown): Promise<void> {
    const browser = new ActionBrowser(world);
    const phone = await new PhonePerson(world).signIn('alice');
    await browser.agent.get(`${url}`, { headers: { accept: 'text/html' } });
    browser.at = `${url}`;
    await browser.agent.post(`${url}`, { form: {} });
    await phone.scan(await browser.code());
    await phone.approve();
    await browser.finish();
  }

  it('gets the signed result, which services can verify and accept only once', async () => {
    const asked = await ask({ reference: 'order-4711' });
    expect(asked.status).to.equal(201);
    const { id, url, expires_in: left } = asked.json();
    expect([asked.headers.get('location'), left]).to.deep.equal([`${url}/result`, 300]);
    expect((await resultOf(id)).json()).to.deep.include({ state: 'waiting' });
    const waiting = resultOf(id, token, 25);
    await approve(url);
    const { state, result, reference } = (await waiting).json();
    expect([state, reference]).to.deep.equal(['approved', 'order-4711']);

    const published = (await (await fetch(`${world.issuer}/jwks`)).json()) as JSONWebKeySet;
    const used = new Set<string>();
    const options = {
      issuer: world.issuer,
      audience: SHOP,
      sub: ALICE,
      keys: createLocalJWKSet(published),
      ...PAYMENT,
      reference: 'order-4711',
      useOnce: (jti: string) => !used.has(jti) && Boolean(used.add(jti)),
    };
    const refusalOf = (more: object): Promise<string> =>
      readApproval(`${result}`, { ...options, ...more }).then(
        () => 'accepted',
        (error: unknown) => (error instanceof ApprovalRefused ? error.message : String(error)),
      );
    expect(await refusalOf({ audience: OTHER_SHOP })).to.match(/"aud"/);
    expect(await refusalOf({ issuer: 'https://other.example' })).to.match(/"iss"/);
    expect(await refusalOf({ sub: 'b0b' })).to.match(/another account/);
    for (const missing of ['issuer', 'audience', 'sub'])
      expect(await refusalOf({ [missing]: undefined })).to.equal(
        `TypeError: readApproval: "${missing}" must be a text`,
      );
    expect(await refusalOf({ details: 'To another shop' })).to.match(/other texts/);
    expect(await refusalOf({ reference: 'order-4712' })).to.match(/another reference/);
    expect(await refusalOf({ now: new Date(Date.now() + 3_600_000) })).to.match(/"exp"/);
    const approval = await readApproval(`${result}`, options);
    expect(approval).to.deep.include({ sub: ALICE, reference: 'order-4711' });
    const again = (await resultOf(id)).json();
    expect(await refusalOf({})).to.match(/used before/);
    expect(await readApproval(`${again.result}`, options).catch((error: Error) => error.message)).to.match(
      /used before/,
    );
  });

  it('can name the user by the subject that it knows, by an ID token or by a login hint', async () => {
    const phone = await new PhonePerson(world).signIn('alice');
    const pairwise = await tokenOf(PAIRWISE);
    for (const [named, as] of [
      [{ sub: undefined, login_hint: 'alice@example.com' }, token],
      [{ sub: `pairwise-${ALICE}` }, pairwise],
    ] as const) {
      const { id, url } = (await ask(named, as)).json();
      await approve(url);
      expect((await resultOf(id, as)).json()).to.deep.include({ state: 'approved' });
    }
    const { url } = (await ask({ sub: ALICE }, pairwise)).json();
    const browser = new ActionBrowser(world);
    await browser.agent.get(`${url}`, { headers: { accept: 'text/html' } });
    browser.at = `${url}`;
    await browser.agent.post(`${url}`, { form: {} });
    expect((await phone.scan(await browser.code())).status).to.equal(404);
  });

  it('is shown on the phone with its own name and host', async () => {
    const { url } = (await ask()).json();
    const browser = new ActionBrowser(world);
    const phone = await new PhonePerson(world).signIn('alice');
    await browser.agent.get(`${url}`, { headers: { accept: 'text/html' } });
    browser.at = `${url}`;
    await browser.agent.post(`${url}`, { form: {} });
    await phone.scan(await browser.code());
    const { client } = (await phone.look()).json();
    expect(client).to.deep.include({ id: SHOP, name: 'The shop', host: new URL(RP_CALLBACK).host });
  });

  it('gets no result for an action of another client or of the provider', async () => {
    const { id } = (await ask()).json();
    expect((await resultOf(id, await tokenOf(OTHER_SHOP))).status).to.equal(404);
    const own = await world.qr.requestApproval({ accountId: ALICE, title: 'Pay' });
    expect((await resultOf(own.id)).status).to.equal(404);
    await own.cancel();
  });

  it('gets an error message that says what to send, if its request is wrong', async () => {
    const wrong = [
      { title: '' },
      { title: 7 },
      { details: 'a\u202eb' },
      { sub: undefined },
      { sub: ALICE, login_hint: 'alice@example.com' },
      { sub: undefined, login_hint: 'nobody@example.com' },
      { sub: '' },
      { sub: undefined, id_token_hint: 'no token' },
      { expires_in: 5 },
      { expires_in: '300' },
      { reference: 'ä' },
      { return_to: 'https://attacker.example/' },
      { return_to: '/own' },
      { return_to: 'http://user:pw@rp.localhost:9/' },
      { return_to: 'http://rp.localhost:9/a\tb' },
      { more: 1 },
    ];
    for (const more of wrong) {
      const answer = await ask(more);
      expect([answer.status, answer.json().error], JSON.stringify(more)).to.deep.equal([400, 'invalid_request']);
      expect(`${answer.json().error_description}`, JSON.stringify(more)).to.match(/Send|must be|names no account/);
    }
    expect((await resultOf('unknown')).status).to.equal(404);
    expect((await resultOf('unknown', token, 26)).status).to.equal(400);
    expect((await ask({ return_to: new URL('/paid', RP_CALLBACK).href })).status).to.equal(201);
  });

  it('needs a token with the scope, and must be listed in actions.clients', async () => {
    const statusOf = async (as: string): Promise<[number, unknown]> => {
      const answer = await ask({}, as);
      return [answer.status, answer.json().error];
    };
    expect(await statusOf('unknown')).to.deep.equal([401, 'invalid_token']);
    expect(await statusOf(await tokenOf(SHOP, 'openid'))).to.deep.equal([403, 'insufficient_scope']);
    expect(await statusOf(await tokenOf('refused'))).to.deep.equal([403, 'app_refused']);
    const bare = await new ActionBrowser(world).agent.post(`${world.issuer}/qr/actions`, { json: PAYMENT });
    expect([bare.status, bare.headers.get('www-authenticate')?.split(' ')[0]]).to.deep.equal([401, 'Bearer']);
  });
});
