import type { Client, Provider } from 'oidc-provider';
import type { Requirements } from '../../ticket/ticket.ts';
import type { Interaction } from '../interaction.ts';
import { text, words } from './parameters.ts';

/** Returns the request's requirements for the approver (OIDC Core, sections 3.1.2.1 and 5.5.1). */
export async function requirementsOf(
  provider: Provider,
  interaction: Pick<Interaction, 'params'>,
  client: Client,
): Promise<Requirements> {
  const { params } = interaction;
  const maxAge = Number(params.max_age ?? Number.NaN);
  const { sub, acr } = idTokenClaims(params.claims);
  const hinted = await readHintedSubject(provider, client, text(params.id_token_hint));
  const subject = combineSubjects(sub, hinted);
  const wished = [...words(params.acr_values), ...(acr?.essential === true ? [] : classesOf(acr))];
  return {
    // Do not read `prompt.reasons`: a second login prompt of the same request has other reasons and the same
    // requirement.
    ...(words(params.prompt).includes('login') && { reauthenticate: true as const }),
    ...(Number.isFinite(maxAge) && { maxAge }),
    ...(subject !== undefined && { subject }),
    ...(acr?.essential === true && Boolean(acr.value || acr.values) && { essentialAcr: classesOf(acr) }),
    ...(wished.length > 0 && { acrValues: wished }),
  };
}

/** A subject that no account has. It makes an impossible request end in an error instead of a loop of pages. */
const NO_SUBJECT = '';

/**
 * Returns the subject that meets both a `sub` claim and a hint. If they contradict each other, this is a subject that
 * no account has.
 */
function combineSubjects(sub: RequestedClaim | undefined, hinted: string | undefined): string | undefined {
  if (sub === undefined || sub === null || !('value' in sub)) return hinted;
  const claimed = text(sub.value) ?? NO_SUBJECT;
  return hinted === undefined || hinted === claimed ? claimed : NO_SUBJECT;
}

/**
 * Returns the classes that meet an `acr` claim. If it has both `value` and `values`, both must be met, as in
 * oidc-provider.
 */
function classesOf(acr: RequestedClaim | undefined): string[] {
  const { value, values } = acr ?? {};
  const listed = Array.isArray(values) ? values.filter((one) => typeof one === 'string') : undefined;
  if (!value) return listed ?? [];
  return typeof value === 'string' && (listed === undefined || listed.includes(value)) ? [value] : [];
}

/**
 * Returns the account's `sub` at this client, which is pairwise if the client is registered so (OIDC Core, section
 * 8.1), or undefined if the client is not registered any more.
 */
export async function subjectOf(provider: Provider, clientId: string, accountId: string): Promise<string | undefined> {
  const client = await provider.Client.find(clientId);
  if (client === undefined) return undefined;
  const claims = new provider.Claims({ sub: accountId }, { client });
  claims.mask({ sub: null });
  return text((await claims.result()).sub);
}

/** Returns the subject of an `id_token_hint`, which the provider checked when it received the request. */
async function readHintedSubject(
  provider: Provider,
  client: Client,
  hint: string | undefined,
): Promise<string | undefined> {
  if (hint === undefined) return undefined;
  const { payload } = await provider.IdToken.validate(hint, client);
  return text(payload.sub);
}

/** A member of the `claims` parameter (OIDC Core, section 5.5.1). */
interface RequestedClaim {
  readonly essential?: unknown;
  readonly value?: unknown;
  readonly values?: unknown;
}

function idTokenClaims(claims: unknown): { readonly sub?: RequestedClaim; readonly acr?: RequestedClaim } {
  const parsed = typeof claims === 'string' ? JSON.parse(claims) : claims;
  return parsed?.id_token ?? {};
}
