import type { RouterContext } from '@koa/router';
import { accountOf, approverOf } from '../oidc/approver.ts';
import { CODE_LENGTH } from '../ticket/code.ts';
import type { Services } from './services.ts';
import { sendToSignIn } from './to-sign-in.ts';

/** The camera in a page, for a phone that is signed in. What it reads leads to the code's own landing page, and no further. */
export class ScanHandlers {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** `GET Q/scan`: the camera. */
  page = async (ctx: RouterContext): Promise<void> => {
    const { provider, urls, views, hooks } = this.#services;
    const approver = await approverOf(provider, ctx, hooks.assurance);
    if (approver === undefined) return sendToSignIn(ctx, hooks.signIn, { returnTo: urls.scan, fresh: false });
    ctx.state.accountId = approver.accountId;
    await accountOf(hooks.findAccount, approver);
    ctx.set('Permissions-Policy', 'camera=(self)');
    const codes = { prefix: urls.absolute(urls.landing('')), length: CODE_LENGTH };
    views.render(ctx, 'scan', { codes, manifest: urls.manifest });
  };

  /** `GET Q/manifest.webmanifest`: the same for everybody, as browsers ask for it without cookies. */
  manifest = (ctx: RouterContext): void => {
    const { urls, views } = this.#services;
    views.render(ctx, 'manifest', { start: urls.scan, scope: `${urls.base}/` });
    ctx.type = 'application/manifest+json';
  };
}
