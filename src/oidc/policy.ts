import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Consent } from '../ticket/ticket.ts';
import type { Interaction } from './interaction.ts';

/** The request's scopes and claims as oidc-provider understood them; recorded by the `login` prompt of the policy. */
export interface RequestedConsent extends Consent {
  /** True if there are rich authorization requests (RFC 9396), which the phone cannot show. */
  readonly rich: boolean;
}

/**
 * Returns the interaction policy of a provider with QR sign-in: the `login` prompt is the QR step. The prompt
 * keeps its name and its checks, so `prompt=none`, `prompt=login`, `max_age` and the rest keep their standard errors
 * (OIDC Core, section 3.1.2.6). A deployment may add its own prompts to the policy.
 * @param more prompts after those of oidc-provider
 */
export function qrLoginPolicy(more: readonly interactionPolicy.Prompt[] = []): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  const login = policy.get('login');
  if (login === undefined) throw new TypeError('the base policy of oidc-provider has no login prompt');
  const { details } = login;
  login.details = async (ctx) => ({ ...(await details(ctx)), asked: collectRequestedConsent(ctx) });
  for (const prompt of more) policy.add(prompt);
  return policy;
}

/**
 * Returns true if a policy other than the plugin's has asked for this sign-in. Only an interaction with the `login`
 * prompt shows that; for other prompts the result is false.
 */
export function isOfOtherPolicy({ prompt }: Interaction): boolean {
  return prompt.name === 'login' && prompt.details.asked === undefined;
}

/** Returns what a request asks for, as oidc-provider has understood it. */
export function collectRequestedConsent({ oidc }: KoaContextWithOIDC): RequestedConsent {
  const wanted = [...oidc.requestParamScopes];
  const resources = Object.entries(oidc.resourceServers ?? {}).map(([resource, { scopes }]): [string, string[]] => [
    resource,
    wanted.filter((scope) => scopes.has(scope)),
  ]);
  return {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims].filter((claim) => !NOT_GRANTED.has(claim)),
    resources: Object.fromEntries(resources.filter(([, scopes]) => scopes.length > 0)),
    rich: oidc.params?.authorization_details !== undefined,
  };
}

/** Claims about the authentication itself, which a user neither grants nor withholds. */
const NOT_GRANTED: ReadonlySet<string> = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss']);
