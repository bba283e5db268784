import { accountName, type FindAccount } from '../../oidc/approver.ts';
import { findMissingConsent, grantConsent } from '../../oidc/consent.ts';
import type { Provider } from '../../oidc/provider.ts';
import { toReadableJson } from '../../oidc/request/readable-text.ts';
import { signInRequest } from '../../oidc/request/request.ts';
import type { ClientLogos } from '../pages/client-logos.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { follow } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import type { BrowserRequest, PromptForm } from './browser-request.ts';

export interface ConsentPorts {
  readonly provider: Provider;
  readonly urls: Urls;
  readonly renderer: PageRenderer;
  readonly logos: Pick<ClientLogos, 'urlOf'>;
  readonly settings: { readonly findAccount: FindAccount };
}

/** The consent step of the browser: it is signed in, and scopes or claims are still to be granted. */
export class ConsentHandlers {
  readonly #ports: ConsentPorts;

  constructor(ports: ConsentPorts) {
    this.#ports = ports;
  }

  /** `GET /interaction/:uid`: the list of what the client asks for. */
  async page({ ctx, interaction }: BrowserRequest): Promise<void> {
    const { provider, urls, renderer, logos, settings } = this.#ports;
    const { details, ...missing } = findMissingConsent(interaction);
    const request = await signInRequest(provider, interaction);
    const self = urls.interaction(interaction.uid);
    const page = {
      request,
      account: await accountName(settings.findAccount, interaction.session?.accountId ?? ''),
      ...missing,
      details: details.map(toReadableJson),
      logo: await logos.urlOf(request.client.id),
      urls: { grant: `${self}/consent`, cancel: `${self}/cancel` },
    };
    renderer.render(ctx, 'consent', page, request.locales);
  }

  /** `POST /interaction/:uid/consent`: grants exactly what the page listed. */
  grant = async (form: PromptForm<'consent'>): Promise<void> => {
    follow(form, await grantConsent(this.#ports.provider, form.ctx, form.interaction));
  };
}
