/** Starts an RP with passport-openidconnect, set up as in "Configure Strategy" and "Define Routes" of its README. */
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import OpenIDConnectStrategy from 'passport-openidconnect';
import type { World } from '../support/world.ts';
import { host, type RunningRp, register } from './hosting.ts';

declare module 'express-session' {
  interface SessionData {
    /** Messages that passport adds because of `failureMessage`. */
    messages: string[];
  }
}

interface User {
  readonly id: string;
  readonly name: string;
}

export function startPassportOpenidconnect(world: World): Promise<RunningRp> {
  return host(async (url) => {
    const { clientId, clientSecret } = await register(world, {
      client_name: 'An app with passport-openidconnect',
      redirect_uris: [`${url}/cb`],
    });
    const users = new Map<string, User>();

    passport.use(
      new OpenIDConnectStrategy(
        {
          issuer: world.issuer,
          authorizationURL: `${world.issuer}/auth`,
          tokenURL: `${world.issuer}/token`,
          userInfoURL: `${world.issuer}/me`,
          clientID: clientId,
          clientSecret,
          callbackURL: `${url}/cb`,
          scope: 'profile',
          skipUserProfile: false,
        },
        function verify(issuer: string, profile: passport.Profile, cb: OpenIDConnectStrategy.VerifyCallback) {
          const key = `${issuer} ${profile.id}`;
          const user = users.get(key) ?? { id: profile.id, name: profile.displayName };
          users.set(key, user);
          return cb(null, user);
        },
      ),
    );
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser((user: User, done) => done(null, user));

    const app = express();
    app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false }));
    app.use(passport.authenticate('session'));

    app.get('/', (req, res) => {
      res.json({ user: req.user, messages: req.session.messages });
    });

    app.get('/login', passport.authenticate('openidconnect'));

    app.get(
      '/cb',
      passport.authenticate('openidconnect', { failureRedirect: '/login', failureMessage: true }),
      (_req, res) => {
        res.redirect('/');
      },
    );

    return app;
  });
}
