import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import type { Consent } from '../ticket/ticket.ts';
import { endInteraction, type Interaction } from './interaction.ts';

/** The consent that the consent prompt found missing. The page shows it, and granting grants exactly this. */
export interface MissingConsent extends Consent {
  /** The rich authorization requests (RFC 9396). */
  readonly details: readonly { readonly type: string }[];
}

export function findMissingConsent({ prompt }: Interaction): MissingConsent {
  const details: {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
    rar?: { type: string }[];
  } = prompt.details;
  return {
    scopes: details.missingOIDCScope ?? [],
    claims: details.missingOIDCClaims ?? [],
    resources: details.missingResourceScopes ?? {},
    details: details.rar ?? [],
  };
}

/**
 * Grants exactly this consent, in addition to what the browser's session granted to this client before. A separate
 * grant would leave the earlier one without a session that refers to it, so that no sign-out could end it.
 * @returns the grant's id
 */
export async function addToGrant(
  provider: Provider,
  to: { readonly accountId: string; readonly clientId: string; readonly grantId: string | undefined },
  consent: Consent,
): Promise<string> {
  const { accountId, clientId, grantId } = to;
  const before = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const isSame = before?.accountId === accountId && before.clientId === clientId;
  const grant = before !== undefined && isSame ? before : new provider.Grant({ accountId, clientId });
  add(grant, consent);
  return grant.save();
}

/**
 * Grants the missing consent, in addition to the existing grant.
 * @returns the URL where the browser goes next
 */
export async function grantConsent(provider: Provider, ctx: Context, interaction: Interaction): Promise<string> {
  const missing = findMissingConsent(interaction);
  const grant = await grantOf(provider, interaction);
  add(grant, missing);
  for (const detail of missing.details) grant.addRar(detail);
  return endInteraction(provider, ctx, { consent: { grantId: await grant.save() } });
}

type Grant = InstanceType<Provider['Grant']>;

function add(grant: Grant, { scopes, claims, resources }: Consent): void {
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '));
  if (claims.length > 0) grant.addOIDCClaims([...claims]);
  for (const [resource, granted] of Object.entries(resources)) grant.addResourceScope(resource, granted.join(' '));
}

async function grantOf(provider: Provider, interaction: Interaction): Promise<Grant> {
  const existing = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  if (existing !== undefined) return existing;
  const accountId = interaction.session?.accountId;
  if (accountId === undefined) throw new QrLoginError('no_interaction', 'No user is signed in who could consent.');
  return new provider.Grant({ accountId, clientId: String(interaction.params.client_id) });
}
