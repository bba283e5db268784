import { interactionPolicy } from 'oidc-provider';

/**
 * The interaction policy of a provider with QR sign-in: the `login` prompt is the QR step. It keeps its name and its
 * checks, so `prompt=none`, `prompt=login`, `max_age` and the rest keep their standard errors (OIDC Core, section
 * 3.1.2.6). Prompts of a deployment's own may be added to it.
 */
export function qrLoginPolicy(): interactionPolicy.DefaultPolicy {
  return interactionPolicy.base();
}
