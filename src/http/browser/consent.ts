import type { RouterContext } from '@koa/router';
import { grantConsent, missingConsent } from '../../oidc/consent.ts';
import { assertPrompt, type Interaction } from '../../oidc/interaction.ts';
import { signInRequest } from '../../oidc/request.ts';
import { follow } from '../request/responses.ts';
import type { Services } from '../services.ts';
import { findBrowserRequest } from './browser-request.ts';

/** What the browser asks for once somebody is signed in and scopes are still to be granted. */
export class ConsentHandlers {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** `GET I`: what the client asks for. */
  async page(ctx: RouterContext, interaction: Interaction): Promise<void> {
    const { provider, urls, views, hooks } = this.#services;
    const { details, ...missing } = missingConsent(interaction);
    const request = await signInRequest(provider, interaction);
    const account = await hooks.findAccount(interaction.session?.accountId ?? '');
    const self = urls.interaction(interaction.uid);
    const page = {
      request,
      account: account?.name ?? '',
      ...missing,
      details: details.map((detail) => JSON.stringify(detail, null, 2)),
      urls: { grant: `${self}/consent`, cancel: `${self}/cancel` },
    };
    views.render(ctx, 'consent', page, request.locales);
  }

  /** `POST I/consent`: grants exactly what the page showed. */
  grant = async (ctx: RouterContext): Promise<void> => {
    const { interaction } = await findBrowserRequest(this.#services, ctx);
    assertPrompt(interaction, 'consent');
    follow(ctx, await grantConsent(this.#services.provider, ctx, interaction));
  };
}
