import type { Provider } from 'oidc-provider';
import type { Consent, SignInRequest } from '../ticket/ticket.ts';
import { findRequestingClient } from './client.ts';
import type { Interaction } from './interaction.ts';
import { readable, text, words } from './parameters.ts';
import type { Asked } from './policy.ts';
import { requirementsOf } from './requirements.ts';

/**
 * Who consents to what a client asks for:
 *
 * - `'browser'`: the consent page on the browser, after the sign-in, as ever.
 * - `'phone'`: Approve, which then grants exactly what the confirm page lists.
 * - `'implied'`: nobody; a client of the first party. Approve grants what it asks for, and nothing is listed, unless the
 *   request itself says `prompt=consent`.
 *
 * What the phone cannot show (rich authorization requests, RFC 9396) is left to the browser all the same.
 */
export type ConsentMode = 'browser' | 'phone' | 'implied';

const MODES: readonly ConsentMode[] = ['browser', 'phone', 'implied'];

/** What the interaction's authorization request asks for, in the words that the phone will show. */
export async function signInRequest(
  provider: Provider,
  interaction: Interaction,
  mode: ConsentMode = 'browser',
): Promise<SignInRequest> {
  if (!MODES.includes(mode)) {
    throw new TypeError(`consent must give one of "${MODES.join('", "')}", not ${JSON.stringify(mode)}`);
  }
  const { params } = interaction;
  const client = await findRequestingClient(provider, interaction);
  const host = verifiedHost(text(params.redirect_uri));
  const loginHint = text(params.login_hint);
  const consent =
    mode === 'browser' || mustAsk(mode, interaction) ? undefined : askedConsent(interaction, mode === 'phone');
  return {
    client: {
      id: client.clientId,
      name: readable(client.clientName || client.clientId),
      ...(host !== undefined && { host }),
    },
    scopes: consent === undefined ? words(params.scope) : consent.listed ? consent.scopes : [],
    locales: words(params.ui_locales),
    ...(loginHint !== undefined && { loginHint: readable(loginHint) }),
    requirements: await requirementsOf(provider, interaction, client),
    ...(consent !== undefined && { consent }),
  };
}

/** A client that asks for consent to be asked for gets that (OIDC Core, section 3.1.2.1; section 11 for offline access). */
function mustAsk(mode: ConsentMode, { params }: Interaction): boolean {
  return mode === 'implied' && words(params.prompt).includes('consent');
}

/** As the policy's login prompt noted it down. */
function askedConsent({ prompt }: Interaction, listed: boolean): Consent | undefined {
  const { asked }: { asked?: Asked } = prompt.details;
  if (asked === undefined || asked.rich) return undefined;
  const { scopes, claims, resources } = asked;
  return { scopes, claims, resources, listed };
}

/**
 * The host that the answer goes to. The provider has matched the redirect URI with the client's registered ones, so
 * unlike a client's name it cannot be made up. Of a native app's own scheme (RFC 8252, section 7.1) only the scheme is
 * shown: what follows it may say anything.
 */
function verifiedHost(redirectUri: string | undefined): string | undefined {
  if (redirectUri === undefined || !URL.canParse(redirectUri)) return undefined;
  const { host, protocol } = new URL(redirectUri);
  return protocol === 'https:' || protocol === 'http:' ? host : protocol;
}
