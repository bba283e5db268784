/** The type of the provider. `config/` and `http/` import it from here: only `oidc/` imports oidc-provider. */
export type { Provider } from 'oidc-provider';
