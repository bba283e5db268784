/** The console as an ordinary client of the provider. */
import { randomBytes } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';

export const CONSOLE_CLIENT = 'console';

/** The scope of operators. The provider grants it to the accounts that are operators, and to this client alone. */
export const OPERATOR_SCOPE = 'qr_admin';

/** The secret of the client. It is in this process alone, because the console is. */
const SECRET = randomBytes(32).toString('base64url');

/** Returns the address of the console. */
export function consoleUrl(issuer: string): string {
  return `${issuer}/console`;
}

export function consoleClient(issuer: string): ClientMetadata & { readonly client_secret: string } {
  return {
    client_id: CONSOLE_CLIENT,
    client_secret: SECRET,
    client_name: 'Console',
    scope: `openid ${OPERATOR_SCOPE}`,
    redirect_uris: [`${consoleUrl(issuer)}/callback`],
  };
}
