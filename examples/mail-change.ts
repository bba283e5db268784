/** Changes the mail address of an account, after its user has approved the new one on the phone. */
import { setTimeout as pause } from 'node:timers/promises';
import Router from '@koa/router';
import parseBody from 'co-body';
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { QrLogin } from '../src/index.ts';
import type { Accounts } from './accounts.ts';
import { requireOwnPage } from './own-page.ts';
import { textIn } from './texts.ts';

export interface MailChangePorts {
  readonly provider: Provider;
  readonly accounts: Accounts;
  readonly qr: QrLogin;
}

/** Printable ASCII, so that the phone can show the address as it is. */
const ADDRESS = /^[!-?A-~]{1,64}@[!-?A-~]{1,50}$/;

/** The page waits this long for a change that was approved a moment ago. */
const SETTLES_WITHIN_MS = 2_000;

/** Serves `/account/mail`. */
export function mailChange({ provider, accounts, qr }: MailChangePorts): Middleware {
  const base = new URL(provider.issuer).pathname.replace(/\/$/, '');
  /** The last change of each account that this process waits for. */
  const changes = new Map<string, Promise<void>>();

  const router = new Router()
    .use('/account/mail', requireOwnPage(provider))
    .post('/account/mail', async (ctx) => {
      const { accountId } = await provider.Session.get(ctx);
      const { email } = await parseBody.form(ctx, { limit: 4096 });
      ctx.status = 303;
      if (accountId === undefined || accounts.find(accountId) === undefined || !ADDRESS.test(`${email}`))
        return ctx.redirect(`${base}/account`);
      const approval = await qr.requestApproval({
        accountId,
        title: textIn(ctx, 'mail.title'),
        details: textIn(ctx, 'mail.details', { email }),
        // A phone cannot scan its own screen: without `browser`, the page offers to decide on this device.
        ...(!isPhone(ctx.get('user-agent')) && { browser: ctx }),
        returnTo: `${base}/account/mail`,
      });
      const change = approval.result.then(
        ({ outcome }) => {
          if (outcome === 'approved') accounts.changeEmail(accountId, email);
        },
        // If this process stops before the end of the action, it gets no result. The address stays as it is.
        () => undefined,
      );
      changes.set(accountId, change);
      change.finally(() => changes.get(accountId) === change && changes.delete(accountId));
      return ctx.redirect(approval.url);
    })
    .get('/account/mail', async (ctx) => {
      const { accountId = '' } = await provider.Session.get(ctx);
      await Promise.race([changes.get(accountId), pause(SETTLES_WITHIN_MS, undefined, { ref: false })]);
      ctx.redirect(`${base}/account`);
    });
  return router.routes() as unknown as Middleware;
}

function isPhone(userAgent: string): boolean {
  return /Mobi|Android/i.test(userAgent);
}
