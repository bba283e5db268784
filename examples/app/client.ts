/** Describes the app as a client of the provider, and recognizes the requests of such clients. */
import type { ClientMetadata } from 'oidc-provider';

/** The scope of apps that may scan and approve. */
export const APPROVING_SCOPE = 'qr_login';

/** The id of the app of this example. Other apps register, and get an id of their own. */
export const APP_CLIENT = 'app';

/**
 * Returns the app as a client: a public one, whose tokens are bound to its key (RFC 9449).
 * @param url the origin of the app
 */
export function appClient(url: string): ClientMetadata {
  return {
    client_id: APP_CLIENT,
    client_name: 'Example app',
    redirect_uris: [`${url}/signed-in`],
    post_logout_redirect_uris: [`${url}/`],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
    scope: `openid profile offline_access ${APPROVING_SCOPE}`,
  };
}

/**
 * Returns true if an authorization request comes from an app that wants to approve. Such a request gets the password
 * page instead of a code, because a phone cannot scan its own screen.
 */
export function isOfApprovingApp({ scope }: { readonly scope?: unknown }): boolean {
  return String(scope ?? '')
    .split(' ')
    .includes(APPROVING_SCOPE);
}
