import { accountOf, type FindAccount } from '../../oidc/approver.ts';
import type { Duration } from '../../ticket/browsers/duration.ts';
import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import {
  isLive,
  isSignIn,
  type SessionApprover,
  stateAt,
  type Ticket,
  type UnmetRequirement,
} from '../../ticket/ticket.ts';
import { describeBrowser } from '../api/app-view.ts';
import type { Enrolments } from '../devices/enrolments.ts';
import type { SignIn } from '../hooks/hooks.ts';
import type { ClientLogos } from '../pages/client-logos.ts';
import type { PhoneView } from '../pages/page-data.ts';
import type { Cookies } from '../request/cookies.ts';
import { toSeconds } from '../request/responses.ts';
import { versionAt } from '../ticket-view/browser-view.ts';
import { type Approvals, isShownHere } from './approval.ts';
import { DEVICES, makeCsrfToken } from './csrf.ts';
import type { PhoneRequest } from './phone-request.ts';
import { offerSignIn, type SignInOfferPorts } from './sign-in-offer.ts';

export interface PhoneViewPorts extends SignInOfferPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'read' | 'checkCode' | 'numbers' | 'unmet'> };
  readonly approvals: Approvals;
  readonly enrolments: Pick<Enrolments, 'isMissing'>;
  readonly logos: Pick<ClientLogos, 'urlOf'>;
  readonly cookies: SignInOfferPorts['cookies'] & Pick<Cookies, 'shownAction'>;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly settings: {
    readonly findAccount: FindAccount;
    readonly signIn: SignIn;
    readonly durations?: readonly Duration[] | undefined;
    readonly enrolByPhone: boolean;
  };
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
  const now = clock();
  // Start this now, so that the deployment's function runs at the same time as the reads below.
  const logo = client.id === '' ? undefined : logos.urlOf(client.id);
  const unmet = await findUnmet(ports, ticket, approver);
  const signInAgain = unmet && (await offerSignIn(ports, request, { unmet, ticket, approver }));
  const challenge = unmet ? undefined : await approvals.challenge(ticket, approver);
  const logoUrl = await logo;
  return {
    state: stateAt(ticket, now),
    version: versionAt(ticket, now),
    ...(isLive(ticket, now) && { follow: urls.ticket(ticket.id) }),
    expiresIn: toSeconds(ticket.deadline - now),
    client,
    ...describeAction(ports, request, ticket),
    ...describeBackchannel(ticket),
    ...(logoUrl !== undefined && { logo: logoUrl }),
    scopes,
    grants: consent?.listed === true,
    claims: consent?.listed ? consent.claims : [],
    resources: consent?.listed ? consent.resources : {},
    browser: describeBrowser(ticket),
    shownAgo: Math.floor(toSeconds(now - ticket.shownAt)),
    account: (await accountOf(settings.findAccount, approver)).name,
    csrf: makeCsrfToken(keys, { approver, target: ticket.id }),
    urls: { devices: urls.devices, scan: urls.scan },
    ...(unmet !== undefined && { unmet }),
    ...(settings.enrolByPhone && { canEnrol: true as const }),
    ...(signInAgain !== undefined && { signInAgain }),
    ...(challenge !== undefined && { challenge }),
    ...durationsOf(ticket, settings.durations),
    ...(unmet === undefined && nearnessOf(ceremony.phone, ticket, approver)),
    ...(ticket.state === 'denied' && { because: ticket.because }),
    ...(ticket.state === 'redeemed' && makeNamingForm(ports, ticket, approver)),
  };
}

function describeAction(
  { cookies, urls }: PhoneViewPorts,
  { ctx }: PhoneRequest,
  ticket: Ticket,
): Pick<PhoneView, 'action' | 'goOn'> {
  const { action } = ticket.request;
  if (action === undefined) return {};
  const { title, details } = action;
  const isDecided = ticket.state !== 'scanned' && isShownHere(cookies, ctx, ticket);
  return { action: { title, details }, ...(isDecided && { goOn: urls.action(ticket.interaction) }) };
}

/** Returns the message of a request without a browser; nothing for another ticket. */
function describeBackchannel({ request }: Ticket): Pick<PhoneView, 'backchannel'> {
  const { backchannel } = request;
  if (backchannel === undefined) return {};
  const { message } = backchannel;
  return { backchannel: message === undefined ? {} : { message } };
}

/** Returns the form that names the browser that was signed in; nothing if the ticket signs no browser in. */
function makeNamingForm(
  { keys, urls }: PhoneViewPorts,
  { id, request }: Ticket,
  approver: SessionApprover,
): Pick<PhoneView, 'naming'> {
  if (!isSignIn(request)) return {};
  return { naming: { url: urls.devices, csrf: makeCsrfToken(keys, { approver, target: DEVICES }), ticket: id } };
}

/** Returns the durations to choose from before the decision on a sign-in; nothing after it, or for another ticket. */
function durationsOf(
  { state, request }: Ticket,
  durations: readonly Duration[] | undefined,
): Pick<PhoneView, 'durations'> {
  const isAsked = state === 'scanned' && isSignIn(request);
  return isAsked && durations !== undefined ? { durations } : {};
}

/** Returns the first demand that the phone or the browser does not meet. */
async function findUnmet(
  { ceremony, enrolments }: Pick<PhoneViewPorts, 'ceremony' | 'enrolments'>,
  ticket: Ticket,
  approver: SessionApprover,
): Promise<UnmetRequirement | undefined> {
  const unmet = ceremony.phone.unmet(ticket, approver);
  return unmet ?? ((await enrolments.isMissing(ticket, approver)) ? 'enrolled' : undefined);
}

/**
 * Returns the data by which the user shows that the phone is near the browser: the digits to type there, or the numbers
 * of which the user taps one.
 */
function nearnessOf(
  phone: Pick<PhoneActs, 'checkCode' | 'numbers'>,
  ticket: Ticket,
  approver: SessionApprover,
): Pick<PhoneView, 'checkCode' | 'numbers'> {
  const checkCode = phone.checkCode(ticket, approver);
  const numbers = phone.numbers(ticket, approver);
  return { ...(numbers !== undefined && { numbers }), ...(checkCode !== undefined && { checkCode }) };
}
