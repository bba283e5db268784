import type { Provider } from 'oidc-provider';
import type { Requirements, SignInRequest } from '../ticket/ticket.ts';
import type { Interaction } from './interaction.ts';

/** What the interaction's authorization request asks for, in the words that the phone will show. */
export async function signInRequest(provider: Provider, interaction: Interaction): Promise<SignInRequest> {
  const { params } = interaction;
  const clientId = String(params.client_id);
  const client = await provider.Client.find(clientId);
  const host = verifiedHost(text(params.redirect_uri));
  const loginHint = text(params.login_hint);
  return {
    client: { id: clientId, name: client?.clientName ?? clientId, ...(host !== undefined && { host }) },
    scopes: words(params.scope),
    locales: words(params.ui_locales),
    ...(loginHint !== undefined && { loginHint }),
    requirements: requirements(interaction),
  };
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

/** `prompt=login` asks for a sign-in during this request, `max_age` for one not older than that (OIDC Core, 3.1.2.1). */
function requirements({ params, iat }: Interaction): Requirements {
  const maxAge = Number(params.max_age ?? Number.NaN);
  return {
    // Not `prompt.reasons`: a second login prompt of the same request has other reasons and the same demand.
    ...(words(params.prompt).includes('login') && { authenticatedSince: iat }),
    ...(Number.isFinite(maxAge) && { maxAge }),
  };
}

/** A parameter that is a list with spaces between its entries. */
function words(value: unknown): string[] {
  return (text(value) ?? '').split(' ').filter(Boolean);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
