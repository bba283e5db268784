import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect } from 'chai';
import { Agent } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { type ApiDocument, Description } from '../../support/described.ts';
import { BrowserPerson, World } from '../../support/world.ts';

describe('the description of the API', () => {
  let world: World;
  let document: ApiDocument;

  before(async () => {
    world = await World.start({ qrLogin: { shortCode: true } });
    const answer = await new Agent().get(`${world.issuer}/qr/api/openapi.json`);
    expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([200, 'application/json; charset=utf-8']);
    document = answer.json() as ApiDocument;
  });

  after(() => world?.stop());

  it('passes the linter of Redocly', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).to.deep.equal([
      // The issuer of the tests is on this machine.
      ['no-server-example.com', 'Server `url` should not point to example.com or localhost.', '#/servers/0/url'],
    ]);
  });

  it('names each operation of the API', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations).to.have.members([
      'post /qr/actions',
      'get /qr/actions/{id}/result',
      'post /qr/api/scans',
      'get /qr/api/tickets/{id}',
      'post /qr/api/tickets/{id}/decision',
      'get /qr/api/requests',
      'post /qr/api/requests/{id}',
      'get /qr/api/browsers',
      'delete /qr/api/browsers',
      'post /qr/api/browsers/{browser}',
      'delete /qr/api/browsers/{browser}',
      'get /qr/api/openapi.json',
    ]);
  });

  it('allows the bodies that the server accepts, and no others', async () => {
    const description = new Description(document);
    const app = await new AppPerson(world).signIn();
    const browser = new BrowserPerson(world);
    await browser.start();
    await app.scan(await browser.code());
    const bodies = {
      '/qr/api/scans': [
        { code: 'x' },
        { shortCode: 'ABCD-EFGH' },
        {},
        { code: 'x', shortCode: 'ABCD-EFGH' },
        { code: 1 },
        { code: null },
        { code: 'x', more: 1 },
        { shortCode: [] },
        [],
      ],
      [`${new URL(app.at).pathname}/decision`]: [
        {},
        { decision: 'no' },
        { decision: 1 },
        { decision: 'deny', remember: 'yes' },
        { decision: 'deny', proof: 1 },
        { decision: 'deny', proof: null },
        { decision: 'deny', signature: 1 },
        { decision: 'deny', csrf: 'x' },
        { decision: 'deny', remember: true, proof: {} },
      ],
    };
    for (const [path, tried] of Object.entries(bodies)) {
      for (const body of tried) {
        const { status, text } = await app.request('POST', path, { body });
        expect(status !== 400, `${path} ${JSON.stringify(body)} ${text}`).to.equal(
          description.allowsBody('POST', path, body),
        );
      }
    }
  });
});

describe('a request to the API', () => {
  let world: World;

  before(async () => {
    world = await World.start({ path: '/op' });
  });

  after(() => world?.stop());

  it('works below a path', async () => {
    const app = await new AppPerson(world).signIn();
    const browser = new BrowserPerson(world);
    await browser.start();
    expect((await app.scan(await browser.code())).status).to.equal(201);
    expect((await app.approve()).json().state).to.equal('approved');
  });

  it('without a token gets a challenge that names no error', async () => {
    const answer = await new Agent().get(`${world.issuer}/qr/api/browsers`);
    expect([answer.status, answer.json().error]).to.deep.equal([401, 'invalid_token']);
    expect(answer.headers.get('www-authenticate')).to.match(/^DPoP algs="ES256 [^"]+", scope="qr_login"$/);
  });

  it('with a wrong DPoP proof gets a message that says what is wrong', async () => {
    const app = await new AppPerson(world).signIn();
    await app.request('GET', '/qr/api/browsers');
    const now = Math.floor(Date.now() / 1000);
    const { d: _d, ...rsa } = { ...app.jwk, d: 'x' };
    const wrong: Record<
      string,
      { claims?: Record<string, unknown>; header?: Record<string, unknown>; proof?: string }
    > = {
      'cannot be verified': { proof: 'no proof' },
      'has no proof': { proof: '' },
      'must be a signed JWT of the type dpop\\+jwt': { header: { typ: 'JWT' } },
      'signed JWT': { header: { jwk: { ...rsa, y: rsa.x } } },
      '"iat" from the Date header': { claims: { iat: now - 400 } },
      '"iat" from the Date': { claims: { iat: now + 400 } },
      '"jti" must be': { claims: { jti: 'short' } },
      '"nonce" must be a text': { claims: { nonce: 1 } },
      '"htm" must be GET': { claims: { htm: 'POST' } },
      '"htu" must be': { claims: { htu: `${world.origin}/qr/api/browsers` } },
    };
    for (const [message, request] of Object.entries(wrong)) {
      const answer = await app.request('GET', '/qr/api/browsers', request);
      expect([answer.status, answer.json().error], message).to.deep.equal([401, 'invalid_dpop_proof']);
      expect(answer.json().error_description).to.match(new RegExp(message));
      expect(answer.headers.get('www-authenticate')).to.match(/^DPoP error="invalid_dpop_proof", error_description="/);
    }
    const query = await app.request('GET', '/qr/api/browsers?x=1', {
      claims: { htu: `${world.issuer}/qr/api/browsers?y=2#z` },
    });
    expect(query.status).to.equal(200);
  });

  it('is refused with another method, path or content type, and never gets a cookie', async () => {
    const app = await new AppPerson(world).signIn();
    const put = await app.request('PUT', '/qr/api/scans');
    expect([put.status, put.headers.get('allow')]).to.deep.equal([405, 'POST']);
    const unknown = await app.request('GET', '/qr/api/nothing', { retries: false });
    expect(unknown.status).to.equal(404);
    const form = await app.agent.post(`${world.issuer}/qr/api/scans`, { form: { code: 'x' } });
    expect([form.status, form.json().error]).to.deep.equal([415, 'unsupported_media_type']);
    for (const answer of [put, unknown, form]) expect(answer.headers.getSetCookie()).to.deep.equal([]);
  });

  it('can be sent by a page of the app, which can read the answer', async () => {
    const app = await new AppPerson(world).signIn();
    const preflight = await app.agent.send(`${world.issuer}/qr/api/scans`, {
      method: 'OPTIONS',
      headers: { origin: 'capacitor://localhost', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).to.equal(204);
    expect(preflight.headers.get('access-control-allow-methods')).to.equal('POST');
    expect(preflight.headers.get('access-control-allow-headers')).to.match(/DPoP/);
    expect(preflight.headers.get('access-control-allow-credentials')).to.equal(null);
    for (const origin of ['capacitor://localhost', 'ionic://localhost', 'https://localhost', world.origin]) {
      const answer = await app.request('GET', '/qr/api/browsers', { headers: { origin } });
      expect(answer.headers.get('access-control-allow-origin'), origin).to.equal(origin);
      expect(answer.headers.get('access-control-expose-headers')).to.match(/DPoP-Nonce/);
    }
    const foreign = await app.request('GET', '/qr/api/browsers', { headers: { origin: 'https://evil.example' } });
    expect([foreign.status, foreign.json().error]).to.deep.equal([403, 'foreign_origin']);
    expect(foreign.headers.get('access-control-allow-origin')).to.equal(null);
  });
});
