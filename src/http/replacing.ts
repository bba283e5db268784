import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { FindAccount } from '../oidc/approver.ts';
import { readable } from '../oidc/parameters.ts';
import { unaskedReplacement } from '../oidc/replacing.ts';
import { protectAnswer } from './guards.ts';
import type { Urls } from './urls.ts';
import type { Views } from './views.ts';

interface Asking {
  readonly provider: Provider;
  readonly urls: Urls;
  readonly views: Views;
  readonly findAccount: FindAccount;
}

/** In front of oidc-provider's own URL that resumes an interaction: an account there is asked about, never silently replaced. */
export function askBeforeReplacing({ provider, urls, views, findAccount }: Asking): Middleware {
  return async (ctx: Context, next) => {
    const replacement = ['GET', 'HEAD'].includes(ctx.method) ? await unaskedReplacement(provider, ctx) : undefined;
    if (replacement === undefined) return next();
    const { interaction, accountId } = replacement;
    const self = urls.interaction(interaction.uid);
    protectAnswer(ctx);
    views.render(ctx, 'switch', {
      client: readable((await provider.Client.find(String(interaction.params.client_id)))?.clientName ?? ''),
      signedInAs: (await findAccount(accountId))?.name ?? accountId,
      urls: { finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
    });
  };
}
