/** The type of the provider. The rooms above take it from here, because nothing outside `oidc/` imports oidc-provider. */
export type { Provider } from 'oidc-provider';
