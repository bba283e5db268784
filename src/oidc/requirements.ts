import type { Client, Provider } from 'oidc-provider';
import type { Requirements } from '../ticket/ticket.ts';
import type { Interaction } from './interaction.ts';
import { text, words } from './parameters.ts';

/** What the request demands of whoever approves it (OIDC Core, sections 3.1.2.1 and 5.5.1). */
export async function requirementsOf(
  provider: Provider,
  interaction: Interaction,
  client: Client,
): Promise<Requirements> {
  const { params, iat } = interaction;
  const maxAge = Number(params.max_age ?? Number.NaN);
  const { sub, acr } = idTokenClaims(params.claims);
  const hinted = await hintedSubject(provider, client, text(params.id_token_hint));
  const subject = oneSubject(sub, hinted);
  const wished = [...words(params.acr_values), ...(acr?.essential === true ? [] : classesOf(acr))];
  return {
    // Not `prompt.reasons`: a second login prompt of the same request has other reasons and the same demand.
    ...(words(params.prompt).includes('login') && { authenticatedSince: iat }),
    ...(Number.isFinite(maxAge) && { maxAge }),
    ...(subject !== undefined && { subject }),
    ...(acr?.essential === true && Boolean(acr.value || acr.values) && { essentialAcr: classesOf(acr) }),
    ...(wished.length > 0 && { acrValues: wished }),
  };
}

/** No account has it: what asks for something impossible ends in an error, not in one page after the other. */
const NOBODY = '';

/** A `sub` claim and a hint must both be met; where they contradict each other, nobody meets them. */
function oneSubject(sub: RequestedClaim | undefined, hinted: string | undefined): string | undefined {
  if (sub === undefined || sub === null || !('value' in sub)) return hinted;
  const claimed = text(sub.value) ?? NOBODY;
  return hinted === undefined || hinted === claimed ? claimed : NOBODY;
}

/** The provider checks `value` and `values` alike: where both are there, both must be met. */
function classesOf(acr: RequestedClaim | undefined): string[] {
  const { value, values } = acr ?? {};
  const listed = Array.isArray(values) ? values.filter((one) => typeof one === 'string') : undefined;
  if (!value) return listed ?? [];
  return typeof value === 'string' && (listed === undefined || listed.includes(value)) ? [value] : [];
}

/** Who the account is to this client: pairwise clients know everybody by a subject of their own (OIDC Core, section 8.1). */
export async function subjectOf(provider: Provider, clientId: string, accountId: string): Promise<string | undefined> {
  const client = await provider.Client.find(clientId);
  if (client === undefined) return undefined;
  const claims = new provider.Claims({ sub: accountId }, { client });
  claims.mask({ sub: null });
  return text((await claims.result()).sub);
}

/** The provider has checked the hint when the request came in. */
async function hintedSubject(
  provider: Provider,
  client: Client,
  hint: string | undefined,
): Promise<string | undefined> {
  if (hint === undefined) return undefined;
  const { payload } = await provider.IdToken.validate(hint, client);
  return text(payload.sub);
}

/** OIDC Core, section 5.5.1. */
interface RequestedClaim {
  readonly essential?: unknown;
  readonly value?: unknown;
  readonly values?: unknown;
}

function idTokenClaims(claims: unknown): { readonly sub?: RequestedClaim; readonly acr?: RequestedClaim } {
  const parsed = typeof claims === 'string' ? JSON.parse(claims) : claims;
  return parsed?.id_token ?? {};
}
