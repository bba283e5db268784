/** The type of the provider. The folders above import it from here, because only `oidc/` imports oidc-provider. */
export type { Provider } from 'oidc-provider';
