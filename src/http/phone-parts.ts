import type { Provider } from '../oidc/provider.ts';
import type { Clock, Signals } from '../ticket/ports.ts';
import { AppViews } from './api/app-view.ts';
import { type AppStreams, makeAppStreams } from './api/app-watch.ts';
import { Nonces } from './api/nonces.ts';
import { type BrowserListPorts, BrowserLists } from './devices/browser-lists.ts';
import type { Enrolments } from './devices/enrolments.ts';
import type { PageRenderer } from './pages/renderer.ts';
import { type ApprovalPorts, Approvals } from './phone/approval.ts';
import { type DecisionPorts, Decisions } from './phone/decisions.ts';
import { Followers } from './phone/followers.ts';
import { RequestOpening, type RequestOpeningPorts } from './requests/request-opening.ts';
import type { StreamStyle } from './streams/connection.ts';

/**
 * The services of the phone's pages and of the apps. Most serve both; `followers` is for the pages alone, and `nonces`,
 * `appViews` and `appStreams` are for the apps alone.
 */
export interface PhoneParts {
  readonly approvals: Approvals;
  readonly decisions: Decisions;
  readonly browserLists: BrowserLists;
  readonly nonces: Nonces;
  readonly appViews: AppViews;
  readonly appStreams: AppStreams;
  readonly followers: Followers;
  readonly requestOpening: RequestOpening;
}

interface PhonePartPorts
  extends Omit<ApprovalPorts, 'settings'>,
    Omit<DecisionPorts, 'approvals'>,
    Omit<RequestOpeningPorts, 'approvals'>,
    Omit<BrowserListPorts, 'settings'> {
  readonly provider: Provider;
  readonly renderer: PageRenderer;
  readonly ceremony: DecisionPorts['ceremony'];
  readonly clientAnswers: DecisionPorts['clientAnswers'];
  readonly signals: Signals;
  readonly clock: Clock;
  readonly enrolments: Enrolments;
  readonly settings: ApprovalPorts['settings'] & BrowserListPorts['settings'] & { readonly streams: StreamStyle };
  readonly wrongCheckCodes: DecisionPorts['wrongCheckCodes'];
  readonly revocation: DecisionPorts['revocation'] & BrowserListPorts['revocation'];
}

export function makePhoneParts(ports: PhonePartPorts): PhoneParts {
  const { provider, keys, clock, settings } = ports;
  const approvals = new Approvals(ports);
  const decisions = new Decisions({ ...ports, approvals });
  const appViews = new AppViews({ ...ports, approvals, decisions });
  return {
    approvals,
    decisions,
    browserLists: new BrowserLists(ports),
    nonces: new Nonces({ keys, issuer: provider.issuer, clock }),
    appViews,
    appStreams: makeAppStreams(appViews, clock, settings.streams),
    followers: new Followers(ports),
    requestOpening: new RequestOpening({ ...ports, approvals }),
  };
}
