import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { isLive, type SessionApprover, stateAt, type Ticket } from '../../ticket/ticket.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { ClientLogos } from '../pages/client-logos.ts';
import type { PhoneView } from '../pages/page-data.ts';
import { toSeconds } from '../request/responses.ts';
import { versionAt } from '../ticket-view/browser-view.ts';
import type { Approvals } from './approval.ts';
import { DEVICES, makeCsrfToken } from './csrf.ts';
import type { PhoneRequest } from './phone-request.ts';
import { offerSignIn, type SignInOfferPorts } from './sign-in-offer.ts';

export interface PhoneViewPorts extends SignInOfferPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'read' | 'checkCode' | 'numbers' | 'unmet'> };
  readonly approvals: Approvals;
  readonly logos: Pick<ClientLogos, 'urlOf'>;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly settings: { readonly findAccount: FindAccount; readonly signIn: SignIn };
}

/** Returns the data of the confirm page and of the done page: the ticket as the phone that scanned it sees it. */
export async function makePhoneView(
  ports: PhoneViewPorts,
  request: PhoneRequest,
  ticket: Ticket,
  approver: SessionApprover,
): Promise<PhoneView> {
  const { ceremony, approvals, logos, clock, keys, urls, settings } = ports;
  const { client, scopes, consent } = ticket.request;
  const { name, system, place } = ticket.browser;
  const now = clock();
  // At the same time as what follows: it is the deployment's function.
  const logo = logos.urlOf(client.id);
  const unmet = ceremony.phone.unmet(ticket, approver);
  const signInAgain = unmet && (await offerSignIn(ports, request, { unmet, ticket, approver }));
  const challenge = unmet ? undefined : await approvals.challenge(ticket, approver);
  const logoUrl = await logo;
  return {
    state: stateAt(ticket, now),
    version: versionAt(ticket, now),
    ...(isLive(ticket, now) && { follow: urls.ticket(ticket.id) }),
    expiresIn: toSeconds(ticket.deadline - now),
    client,
    ...(logoUrl !== undefined && { logo: logoUrl }),
    scopes,
    grants: consent?.listed === true,
    claims: consent?.listed ? consent.claims : [],
    resources: consent?.listed ? consent.resources : {},
    browser: {
      ...(name !== undefined && { name }),
      ...(system !== undefined && { system }),
      ...(place !== undefined && { place }),
    },
    shownAgo: Math.floor(toSeconds(now - ticket.shownAt)),
    account: (await accountOf(settings.findAccount, approver)).name,
    csrf: makeCsrfToken(keys, { approver, target: ticket.id }),
    urls: { devices: urls.devices, scan: urls.scan },
    ...(unmet !== undefined && { unmet }),
    ...(signInAgain !== undefined && { signInAgain }),
    ...(challenge !== undefined && { challenge }),
    ...(unmet === undefined && nearnessOf(ceremony.phone, ticket, approver)),
    ...(ticket.state === 'denied' && { because: ticket.because }),
    ...(ticket.state === 'redeemed' && {
      naming: { url: urls.devices, csrf: makeCsrfToken(keys, { approver, target: DEVICES }), ticket: ticket.id },
    }),
  };
}

/** Returns what shows that the phone is near the browser: the digits to type there, or the numbers to tap one of. */
function nearnessOf(
  phone: Pick<PhoneActs, 'checkCode' | 'numbers'>,
  ticket: Ticket,
  approver: SessionApprover,
): Pick<PhoneView, 'checkCode' | 'numbers'> {
  const checkCode = phone.checkCode(ticket, approver);
  const numbers = phone.numbers(ticket, approver);
  return { ...(numbers !== undefined && { numbers }), ...(checkCode !== undefined && { checkCode }) };
}
