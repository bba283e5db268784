/** Starts an RP with openid-client, set up as in "Quick start" and "Authorization Code Flow" of its README. */
import express from 'express';
import session from 'express-session';
import * as client from 'openid-client';
import type { World } from '../support/world.ts';
import { host, type RunningRp, register } from './hosting.ts';

declare module 'express-session' {
  interface SessionData {
    codeVerifier: string;
    idToken: string;
    userInfo: client.UserInfoResponse;
  }
}

export function startOpenidClient(world: World): Promise<RunningRp> {
  return host(async (url) => {
    const redirect_uri = `${url}/callback`;
    const { clientId, clientSecret } = await register(world, {
      client_name: 'An app with openid-client',
      redirect_uris: [redirect_uri],
      post_logout_redirect_uris: [`${url}/`],
    });
    const config = await client.discovery(new URL(world.issuer), clientId, clientSecret, undefined, {
      execute: [client.allowInsecureRequests],
    });

    const app = express();
    app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false }));

    app.get('/', (req, res) => {
      res.json(req.session.userInfo ?? {});
    });

    app.get('/login', async (req, res) => {
      const code_verifier = client.randomPKCECodeVerifier();
      req.session.codeVerifier = code_verifier;
      const redirectTo = client.buildAuthorizationUrl(config, {
        redirect_uri,
        scope: 'openid profile',
        code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
        code_challenge_method: 'S256',
      });
      res.redirect(redirectTo.href);
    });

    app.get('/callback', async (req, res) => {
      try {
        const { codeVerifier = '' } = req.session;
        const tokens = await client.authorizationCodeGrant(config, new URL(req.originalUrl, url), {
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        req.session.idToken = tokens.id_token ?? '';
        req.session.userInfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '');
        res.redirect('/');
      } catch (error) {
        if (!(error instanceof client.AuthorizationResponseError)) throw error;
        res.status(403).json({ error: error.error, description: error.error_description });
      }
    });

    app.get('/logout', (req, res) => {
      const { idToken = '' } = req.session;
      req.session.destroy(() => {
        const parameters = { id_token_hint: idToken, post_logout_redirect_uri: `${url}/` };
        res.redirect(client.buildEndSessionUrl(config, parameters).href);
      });
    });

    return app;
  });
}
