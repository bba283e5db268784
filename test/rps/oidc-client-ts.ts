/**
 * Starts an RP that consists of one page with oidc-client-ts. It loads the library's build for browsers, as the samples
 * of the library do.
 */
import { fileURLToPath } from 'node:url';
import express from 'express';
import type { World } from '../support/world.ts';
import { host, type RunningRp, register } from './hosting.ts';

const PAGE = fileURLToPath(new URL('./oidc-client-ts.html', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts')));

export function startOidcClientTs(world: World): Promise<RunningRp> {
  return host(async (url) => {
    const { clientId } = await register(world, {
      client_name: 'An app with oidc-client-ts',
      redirect_uris: [`${url}/signed-in`],
      post_logout_redirect_uris: [`${url}/signed-out`],
      token_endpoint_auth_method: 'none',
    });
    const settings = {
      authority: world.issuer,
      client_id: clientId,
      redirect_uri: `${url}/signed-in`,
      post_logout_redirect_uri: `${url}/signed-out`,
      response_type: 'code',
      scope: 'openid profile',
      loadUserInfo: true,
    };

    const app = express();
    app.get(['/', '/signed-in', '/signed-out'], (_req, res) => res.sendFile(PAGE));
    app.get('/oidc-client-ts.min.js', (_req, res) => res.sendFile(LIBRARY));
    app.get('/settings.js', (_req, res) => {
      res.type('js').send(`const settings = ${JSON.stringify(settings)};`);
    });
    return app;
  });
}
