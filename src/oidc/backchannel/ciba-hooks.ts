import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthenticationRequest } from './authentication-request.ts';

/** A request to oidc-provider's endpoint for requests without a browser. */
export type AuthenticationContext = KoaContextWithOIDC;

/** An account as oidc-provider has found it. */
interface FoundAccount {
  readonly accountId: string;
}

/** The functions for `features.ciba` of oidc-provider. */
export interface CibaHooks {
  readonly processLoginHint: (ctx: AuthenticationContext, loginHint: string | undefined) => Promise<string | undefined>;
  readonly processLoginHintToken: (
    ctx: AuthenticationContext,
    token: string | undefined,
  ) => Promise<string | undefined>;
  readonly verifyUserCode: (ctx: AuthenticationContext, account: FoundAccount, userCode?: string) => Promise<void>;
  readonly validateBindingMessage: (ctx: AuthenticationContext, bindingMessage?: string) => Promise<void>;
  readonly validateRequestContext: (ctx: AuthenticationContext, requestContext?: string) => Promise<void>;
  readonly triggerAuthenticationDevice: (ctx: AuthenticationContext, request: AuthenticationRequest) => Promise<void>;
}
