import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { QrLoginError } from '../../ticket/errors.ts';
import type { SignInRequest } from '../../ticket/ticket.ts';
import { describeRequester } from '../actions/requester.ts';
import { collectRequestedConsent } from '../policy.ts';
import { words } from '../request/parameters.ts';
import { isReadableText } from '../request/readable-text.ts';
import { requirementsOf, subjectOf } from '../request/requirements.ts';
import { invalidBindingMessage, unknownUser, unshowableRequest } from './request-errors.ts';

/** The most characters of a binding message, as a reader counts them. It has to be compared at a glance. */
const MAX_BINDING_MESSAGE = 40;

/** A record of oidc-provider for a request without a browser. */
export type AuthenticationRequest = InstanceType<Provider['BackchannelAuthenticationRequest']>;

/**
 * Ensures that the phone can show a binding message as it is (CIBA Core 1.0, section 7.1). It is shown as text, and
 * refused rather than changed: the user compares it with the one that the client shows.
 * @throws `invalid_binding_message` (section 13)
 */
export function assertBindingMessage(message: string | undefined): void {
  if (message === undefined || (message !== '' && isReadableText(message, MAX_BINDING_MESSAGE))) return;
  throw invalidBindingMessage(`"binding_message" must be one line of 1 to ${MAX_BINDING_MESSAGE} visible characters.`);
}

/**
 * Ensures that the phone can show everything that a client asks for. It cannot show rich authorization requests (RFC
 * 9396).
 * @throws `invalid_request`
 */
export function assertShowable({ oidc }: KoaContextWithOIDC): void {
  if (oidc.params?.authorization_details === undefined) return;
  throw unshowableRequest('The phone cannot show "authorization_details". Leave it out.');
}

/**
 * Returns the request of a client in the form that the phone will show. Approve grants all of it, because the phone is
 * the only place where the user can consent.
 * @throws `unknown_user_id` if the request demands a `sub` that is not the account's
 */
export async function describeAuthenticationRequest(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  request: AuthenticationRequest,
): Promise<Omit<SignInRequest, 'action' | 'backchannel'>> {
  const { client, params } = ctx.oidc;
  if (client === undefined) throw notRegistered();
  const { scopes, claims, resources } = collectRequestedConsent(ctx);
  // The hint is the account's own: oidc-provider has checked it, and has found the account by it.
  const { id_token_hint: _hint, ...others } = params ?? {};
  const { subject, ...requirements } = await requirementsOf(provider, { params: others }, client);
  if (subject !== undefined && subject !== (await subjectOf(provider, client.clientId, request.accountId ?? '')))
    throw unknownUser();
  return {
    client: await describeSender(provider, client),
    scopes,
    locales: words(others.ui_locales),
    requirements,
    consent: { listed: true, scopes, claims, resources },
  };
}

/**
 * Returns the client as the phone shows it. No host is shown: there is no redirect whose host the user could check, and
 * a client that registers itself can name any host in its redirect URIs or as its address for notifications.
 */
async function describeSender(provider: Provider, { clientId }: Client): Promise<SignInRequest['client']> {
  const sender = await describeRequester(provider, clientId);
  if (sender === undefined) throw notRegistered();
  const { host: _selfAsserted, ...shown } = sender;
  return shown;
}

function notRegistered(): QrLoginError {
  return new QrLoginError('no_interaction', 'The app that asked is not registered any more.');
}
