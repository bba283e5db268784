/** Serves the password page: for the first sign-in on a phone, and for users without a phone. */
import { readFileSync } from 'node:fs';
import Router from '@koa/router';
import parseBody from 'co-body';
import type { Context, Middleware } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import type { QrLogin } from '../src/index.ts';
import { ACCOUNT_CLIENT } from './account-page.ts';
import type { Accounts } from './accounts.ts';
import { isOfApprovingApp } from './app/client.ts';
import { CONSOLE_CLIENT } from './console/client.ts';
import { requireOwnPage } from './own-page.ts';
import type { PasswordLimits } from './password-limits.ts';

/** The `acr` of sign-ins with a password. */
export const PASSWORD_ACR = 'urn:example:acr:password';

export interface PasswordPorts {
  readonly provider: Provider;
  readonly accounts: Accounts;
  readonly qr: QrLogin;
  /** Undefined if tries are not limited. */
  readonly limits: PasswordLimits | undefined;
  /** True if users can sign in with a passkey, too. */
  readonly hasPasskeys: boolean;
}

const AUTOFILL = readFileSync(new URL('client/passkey-autofill.js', import.meta.url), 'utf8');

/** Serves the page below the interaction's URL, because the browser sends the interaction cookie only there. */
export function passwordSignIn({ provider, accounts, qr, limits, hasPasskeys }: PasswordPorts): Middleware {
  const base = new URL(provider.issuer).pathname.replace(/\/$/, '');
  const show = async (ctx: Context, mistake?: string): Promise<void> => {
    const { params, uid } = await provider.interactionDetails(ctx.req, ctx.res);
    const locales = String(params.ui_locales ?? '').split(' ');
    const self = `${base}/interaction/${uid}`;
    const isOwn = params.client_id === ACCOUNT_CLIENT;
    const found = isOwn ? undefined : await provider.Client.find(String(params.client_id));
    qr.render(ctx, 'password', {
      base,
      mistake,
      locales,
      client: found?.clientName ?? found?.clientId,
      loginHint: params.login_hint ?? '',
      cancelUrl: `${self}/cancel`,
      // The account page, the console and apps that approve get this page instead of the code, so it has no link to the
      // code.
      qrUrl: isOwn || params.client_id === CONSOLE_CLIENT || isOfApprovingApp(params) ? undefined : self,
      passkeyUrl: hasPasskeys ? `${self}/qr/passkey` : undefined,
    });
  };

  const router = new Router()
    .use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        if (!(error instanceof errors.SessionNotFound)) throw error;
        ctx.status = 404;
        qr.render(ctx, 'problem', { base, text: 'password.over' });
      }
    })
    .get('/account/passkey-autofill.js', (ctx) => {
      ctx.type = 'js';
      ctx.body = AUTOFILL;
    })
    .get('/interaction/:uid/password', (ctx) => show(ctx))
    .post('/interaction/:uid/password', requireOwnPage(provider), async (ctx) => {
      const fields = await parseBody.form(ctx, { limit: 4096 });
      const [name, password] = [String(fields.name), String(fields.password)];
      const waitSeconds = await limits?.begin(ctx.ip, name);
      if (waitSeconds !== undefined) {
        ctx.status = 429;
        ctx.set('Retry-After', `${waitSeconds}`);
        return show(ctx, 'password.limited');
      }
      const person = await accounts.authenticate(name, password);
      if (person === undefined) {
        ctx.status = 401;
        return show(ctx, 'password.wrong');
      }
      await limits?.succeed(ctx.ip, name);
      const login = { accountId: person.id, acr: PASSWORD_ACR, amr: ['pwd'] };
      const next = await provider.interactionResult(ctx.req, ctx.res, { login }, { mergeWithLastSubmission: false });
      ctx.status = 303;
      ctx.redirect(atIssuer(provider, next));
    });
  return router.routes() as unknown as Middleware;
}

/**
 * Returns the address on the issuer's origin. oidc-provider takes the origin from the `Host` of the request that began
 * the interaction, which may have been forged.
 */
function atIssuer({ issuer }: Provider, address: string): string {
  const { pathname, search } = new URL(address);
  return new URL(pathname + search, issuer).href;
}
