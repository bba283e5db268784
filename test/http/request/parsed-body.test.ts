import { createServer, type RequestListener } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import Koa, { type Middleware } from 'koa';
import mount from 'koa-mount';
import type { Provider } from 'oidc-provider';
import { makeProvider } from '../../fixtures/provider.ts';
import { CLIENT_ID, RP_CALLBACK, testClient } from '../../fixtures/test-client.ts';
import { Agent } from '../../support/agent.ts';
import { listen } from '../../support/server.ts';

/** Hosts whose parser comes before the provider, with its default settings. */
const HOSTS: Readonly<Record<string, (provider: Provider) => RequestListener>> = {
  'Express, as NestJS sets it up': (provider) =>
    express().use(express.json(), express.urlencoded({ extended: true }), provider.callback()),
  'Express with texts': (provider) => express().use(express.text({ type: () => true }), provider.callback()),
  'Express with Buffers': (provider) => express().use(express.raw({ type: () => true }), provider.callback()),
  Koa: (provider) => {
    const app = new Koa();
    app.keys = provider.keys ?? [];
    const parse: Middleware = async (ctx, next) => {
      let text = '';
      for await (const chunk of ctx.req) text += chunk;
      const isForm = ctx.is('urlencoded') !== false;
      Object.assign(ctx.request, {
        body: isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text || '{}'),
      });
      return next();
    };
    return app.use(parse).use(mount(provider)).callback();
  },
};

const PKCE = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };

for (const [name, host] of Object.entries(HOSTS)) {
  describe(`the provider behind a body parser of ${name}`, () => {
    let agent: Agent;
    let at: string;
    let stop: () => Promise<void>;
    let warnings: string[];
    const note = ({ code, message }: Error & { code?: string }): void => {
      if (code === 'QR_LOGIN_BODY') warnings.push(message);
    };

    beforeEach(async () => {
      warnings = [];
      process.on('warning', note);
      const server = createServer();
      const issuer = await listen(server);
      const { provider, qr } = await makeProvider({ issuer, clients: [testClient(CLIENT_ID)] });
      server.on('request', host(provider));
      stop = async () => {
        await qr.close();
        server.closeAllConnections();
        server.close();
      };
      agent = new Agent();
      const request = { client_id: CLIENT_ID, response_type: 'code', scope: 'openid', redirect_uri: RP_CALLBACK };
      at = (await agent.follow(`${issuer}/auth?${new URLSearchParams({ ...request, ...PKCE })}`)).url.href;
    });

    afterEach(async () => {
      process.off('warning', note);
      await stop?.();
    });

    it('takes forms and JSON, and warns once', async () => {
      const { json } = await agent.get(`${at}/qr`);
      const renewed = await agent.post(`${at}/qr/renew`, { json: { version: `${json().version}` } });
      expect(renewed.status).to.equal(200);
      expect(renewed.json().state).to.equal('waiting');
      const mistyped = await agent.post(`${at}/qr/renew`, { form: { version: 'first' } });
      expect(mistyped.status).to.equal(400);
      expect(mistyped.text).to.include('This request is not valid');
      expect((await agent.post(`${at}/cancel`, { form: {} })).status).to.equal(303);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/^a body parser of your app .* mount the provider before the parser/);
    });

    it('refuses the same bodies as without a parser', async () => {
      const twice = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'version=1&version=2' };
      // Koa's parser keeps the last value of a field.
      if (name !== 'Koa') expect((await agent.post(`${at}/qr/renew`, twice)).status).to.equal(400);
      expect((await agent.post(`${at}/qr/renew`, { json: { version: 1 } })).status).to.equal(400);
      expect((await agent.post(`${at}/qr/renew`, { json: [] })).status).to.equal(400);
      expect((await agent.post(`${at}/qr/renew`, { json: { version: '1'.repeat(5000) } })).status).to.equal(413);
      const text = { headers: { 'content-type': 'text/plain' }, body: '{"version":"1"}' };
      if (name !== 'Koa') expect((await agent.post(`${at}/qr/renew`, text)).status).to.equal(415);
    });
  });
}
