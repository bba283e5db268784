import type { Provider } from 'oidc-provider';
import type { Consent, SignInRequest } from '../../ticket/ticket.ts';
import { clientNameOf, findRequestingClient, logoOf, verifiedHost } from '../client.ts';
import type { Interaction } from '../interaction.ts';
import type { RequestedConsent } from '../policy.ts';
import { text, words } from './parameters.ts';
import { toReadableText } from './readable-text.ts';
import { requirementsOf } from './requirements.ts';

/**
 * The place where the user consents to the request of a client:
 *
 * - `'browser'`: on the consent page of the browser, after the sign-in, as without this plugin.
 * - `'phone'`: by Approve, which then grants exactly what the confirm page lists.
 * - `'implied'`: not at all, for a first-party client. Approve grants what the client asks for, and nothing is listed,
 *   unless the request itself says `prompt=consent`.
 *
 * Rich authorization requests (RFC 9396), which the phone cannot show, are always left to the consent page.
 */
export type ConsentMode = 'browser' | 'phone' | 'implied';

/** Returns the interaction's authorization request in the form that the phone will show. */
export async function signInRequest(
  provider: Provider,
  interaction: Interaction,
  mode: ConsentMode = 'browser',
): Promise<SignInRequest> {
  const { params } = interaction;
  const client = await findRequestingClient(provider, interaction);
  const host = verifiedHost(params.redirect_uri);
  const loginHint = text(params.login_hint);
  const consent =
    mode === 'browser' || requiresConsentPage(mode, interaction)
      ? undefined
      : findRequestedConsent(interaction, mode === 'phone');
  return {
    client: {
      id: client.clientId,
      name: clientNameOf(client),
      ...(host !== undefined && { host }),
      ...logoOf(client),
    },
    scopes: consent === undefined ? words(params.scope) : consent.listed ? consent.scopes : [],
    locales: words(params.ui_locales),
    ...(loginHint !== undefined && { loginHint: toReadableText(loginHint) }),
    requirements: await requirementsOf(provider, interaction, client),
    ...(consent !== undefined && { consent }),
  };
}

/**
 * Returns true if the browser must show the consent page although consent is implied: the request says `prompt=consent`
 * (OIDC Core, section 3.1.2.1; section 11 for offline access).
 */
function requiresConsentPage(mode: ConsentMode, { params }: Interaction): boolean {
  return mode === 'implied' && words(params.prompt).includes('consent');
}

/** Returns the consent that the policy's login prompt recorded, or undefined if the phone cannot show all of it. */
function findRequestedConsent({ prompt }: Interaction, listed: boolean): Consent | undefined {
  const { asked }: { asked?: RequestedConsent } = prompt.details;
  if (asked === undefined || asked.rich) return undefined;
  const { scopes, claims, resources } = asked;
  return { scopes, claims, resources, listed };
}
