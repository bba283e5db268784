import type { RouterContext } from '@koa/router';
import { type Interaction, interactionOf, noInteraction } from '../oidc/interaction.ts';
import { homeOf } from '../oidc/request.ts';
import type { BrowserIdentity } from '../ticket/browser.ts';
import type { Services } from './services.ts';

/** An authorization request that waits for the person at this browser. */
export interface Pending {
  readonly interaction: Interaction;
  readonly identity: BrowserIdentity;
}

/** The interaction at this URL, for the browser that started it: it alone has oidc-provider's cookie and ours. */
export async function pendingAt(services: Services, ctx: RouterContext): Promise<Pending> {
  const { provider, cookies, urls } = services;
  const uid = ctx.params.uid ?? '';
  const interaction = await interactionOf(provider, ctx, uid).catch(async (error: unknown) => {
    ctx.state.home = await homeAt(services, ctx, uid);
    throw error;
  });
  const binding = cookies.binding(ctx, uid);
  if (binding === undefined) throw noInteraction();
  // From here on a mistake is no dead end.
  ctx.state.back = urls.interaction(uid);
  // As it is now: another tab may have signed somebody in since the interaction began.
  const { accountId } = await provider.Session.get(ctx);
  return { interaction, identity: { interaction: uid, binding, accountId } };
}

/** The way back to the app for a browser whose interaction is over. */
async function homeAt({ provider, cookies }: Services, ctx: RouterContext, uid: string): Promise<string | undefined> {
  const clientId = cookies.clientId(ctx, uid);
  const client = clientId === undefined ? undefined : await provider.Client.find(clientId);
  return client && homeOf(client);
}
