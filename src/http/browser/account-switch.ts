import type { Context, Middleware } from 'koa';
import type { FindAccount } from '../../oidc/approver.ts';
import { findClientName } from '../../oidc/client.ts';
import type { Provider } from '../../oidc/provider.ts';
import { unaskedReplacement } from '../../oidc/replacing.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { protectAnswer } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';

interface Asking {
  readonly provider: Provider;
  readonly urls: Urls;
  readonly renderer: PageRenderer;
  readonly findAccount: FindAccount;
}

/**
 * Asks the user before another account is signed out of this browser. Mounted in front of oidc-provider's own URL that
 * resumes an interaction, which would replace the account silently.
 */
export function askBeforeReplacing({ provider, urls, renderer, findAccount }: Asking): Middleware {
  return async (ctx: Context, next) => {
    const replacement = ['GET', 'HEAD'].includes(ctx.method) ? await unaskedReplacement(provider, ctx) : undefined;
    if (replacement === undefined) return next();
    const { interaction, accountId } = replacement;
    const self = urls.interaction(interaction.uid);
    protectAnswer(ctx);
    renderer.render(ctx, 'switch', {
      client: await findClientName(provider, interaction),
      signedInAs: (await findAccount(accountId))?.name ?? accountId,
      urls: { finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
    });
  };
}
