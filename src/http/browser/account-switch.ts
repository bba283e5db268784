import type { Context } from 'koa';
import { accountName, type FindAccount } from '../../oidc/approver.ts';
import { findClientName } from '../../oidc/client.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { Replacement } from '../../oidc/replacing.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { protectAnswer } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';

export interface AccountSwitchPorts {
  readonly provider: Provider;
  readonly urls: Urls;
  readonly renderer: PageRenderer;
  readonly settings: { readonly findAccount: FindAccount };
}

/** Asks the user before another account is signed out of this browser. */
export async function askBeforeReplacing(
  { provider, urls, renderer, settings }: AccountSwitchPorts,
  ctx: Context,
  { interaction, accountId }: Replacement,
): Promise<void> {
  const self = urls.interaction(interaction.uid);
  protectAnswer(ctx);
  renderer.render(ctx, 'switch', {
    client: await findClientName(provider, interaction),
    signedInAs: await accountName(settings.findAccount, accountId),
    urls: { finish: `${self}/qr/finish`, cancel: `${self}/cancel` },
  });
}
