/**
 * Starts an RP with express-openid-connect, set up as in "Configuring the SDK" of its README. The RP gets an ID token
 * by form post.
 */
import express, { type ErrorRequestHandler } from 'express';
import { auth } from 'express-openid-connect';
import type { World } from '../support/world.ts';
import { hostSecurely, type RunningRp, register } from './hosting.ts';

export function startExpressOpenidConnect(world: World): Promise<RunningRp> {
  // Its README requires https: the answer is a cross-site POST, with which browsers send only `SameSite=None; Secure`
  // cookies.
  return hostSecurely(async (url) => {
    const { clientId } = await register(world, {
      client_name: 'An app with express-openid-connect',
      redirect_uris: [`${url}/callback`],
      post_logout_redirect_uris: [url],
      response_types: ['id_token'],
      grant_types: ['implicit'],
      token_endpoint_auth_method: 'none',
    });

    const app = express();
    app.use(
      auth({
        issuerBaseURL: world.issuer,
        baseURL: url,
        clientID: clientId,
        secret: 'a long, randomly-generated string',
        idpLogout: true,
      }),
    );

    app.get('/', (req, res) => {
      res.json(req.oidc.user);
    });

    const tellError: ErrorRequestHandler = (error, _req, res, _next) => {
      res.status(error.status ?? 500).json({ error: error.error, description: error.error_description });
    };
    app.use(tellError);

    return app;
  });
}
