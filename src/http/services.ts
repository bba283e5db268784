import type { ActionPagePorts } from './actions/action-page.ts';
import type { ActionRequestPorts } from './actions/action-page-request.ts';
import type { ClientActionPorts } from './actions/client-actions.ts';
import type { ApiRequestPorts } from './api/api-request.ts';
import type { AppLinks } from './api/app-links.ts';
import type { ApiBrowserPorts } from './api/browsers.ts';
import type { ApiPendingPorts } from './api/pending-requests.ts';
import type { ApiScanPorts } from './api/scans.ts';
import type { ApiTicketPorts } from './api/tickets.ts';
import type { AskPhonePorts } from './browser/ask-phone.ts';
import type { BrowserPasskeyPorts } from './browser/browser-passkey.ts';
import type { BrowserRequestPorts } from './browser/browser-request.ts';
import type { ConsentPorts } from './browser/consent.ts';
import type { EnrolmentRequestPorts } from './browser/enrolment-request.ts';
import type { FinishPorts } from './browser/finish.ts';
import type { PasskeyPorts } from './browser/passkey.ts';
import type { QrPagePorts } from './browser/qr-page.ts';
import type { ShownKeyPorts } from './browser/shown-key.ts';
import type { DeviceListPorts } from './devices/device-list.ts';
import type { Assets } from './pages/assets.ts';
import type { ClientLogos } from './pages/client-logos.ts';
import type { ApprovalPorts } from './phone/approval.ts';
import type { DecisionFormPorts } from './phone/decision-form.ts';
import type { LandingPorts } from './phone/landing.ts';
import type { PhoneRequestPorts } from './phone/phone-request.ts';
import type { ScanPorts } from './phone/scan-page.ts';
import type { TicketPagePorts } from './phone/ticket-page.ts';
import type { RequestPagePorts } from './requests/request-page.ts';

/** Everything that the routes need. Each handler names the part that it uses. */
export type Services = BrowserRequestPorts &
  PhoneRequestPorts &
  ConsentPorts &
  PasskeyPorts &
  ShownKeyPorts &
  FinishPorts &
  BrowserPasskeyPorts &
  EnrolmentRequestPorts &
  AskPhonePorts &
  Omit<QrPagePorts, 'consent' | 'passkey' | 'browserPasskey' | 'enrolmentRequest' | 'askPhone'> &
  ApprovalPorts &
  LandingPorts &
  TicketPagePorts &
  Omit<DecisionFormPorts, 'ticketPage'> &
  Omit<ScanPorts, 'fail'> &
  ApiRequestPorts &
  ApiScanPorts &
  ApiTicketPorts &
  ApiBrowserPorts &
  ApiPendingPorts &
  RequestPagePorts &
  ActionRequestPorts &
  ActionPagePorts &
  ClientActionPorts &
  DeviceListPorts & { readonly assets: Assets; readonly logos: ClientLogos; readonly appLinks: AppLinks };
