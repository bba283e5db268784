import type { RouterContext } from '@koa/router';
import { sessionOf } from '../../oidc/approver.ts';
import { findClientHome } from '../../oidc/client.ts';
import { assertPrompt, type Interaction, interactionOf, noInteraction } from '../../oidc/interaction.ts';
import type { BrowserIdentity } from '../../ticket/browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Services } from '../services.ts';

/** An authorization request that waits for the person at this browser. */
export interface BrowserRequest {
  readonly interaction: Interaction;
  readonly identity: BrowserIdentity;
}

/** The interaction at this URL, for the browser that started it: it alone has oidc-provider's cookie and ours. */
export async function findBrowserRequest(services: Services, ctx: RouterContext): Promise<BrowserRequest> {
  const { provider, cookies, urls } = services;
  const uid = ctx.params.uid ?? '';
  ctx.state.again = urls.interaction(uid);
  const [interaction, session] = await Promise.all([
    interactionOf(provider, ctx, uid).catch(async (error: unknown) => {
      if (error instanceof QrLoginError) ctx.state.home = await homeAt(services, ctx, uid);
      throw error;
    }),
    // As it is now: another tab may have signed somebody in since the interaction began.
    sessionOf(provider, ctx),
  ]);
  const binding = cookies.binding(ctx, uid);
  if (binding === undefined) throw noInteraction();
  // From here on a mistake is no dead end.
  ctx.state.back = urls.interaction(uid);
  return { interaction, identity: { interaction: uid, binding, accountId: session?.accountId } };
}

/** The same, where the person is still to be signed in. */
export async function findLoginRequest(services: Services, ctx: RouterContext): Promise<BrowserRequest> {
  const pending = await findBrowserRequest(services, ctx);
  assertPrompt(pending.interaction, 'login');
  return pending;
}

/** The way back to the app for a browser whose interaction is over. */
async function homeAt({ provider, cookies }: Services, ctx: RouterContext, uid: string): Promise<string | undefined> {
  const clientId = cookies.clientId(ctx, uid);
  return clientId === undefined ? undefined : findClientHome(provider, clientId);
}
