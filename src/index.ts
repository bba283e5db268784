export type { AccountRecords, TrustedBrowserEntry } from './admin/account-records.ts';
export type { AdminAct, AdminBlock, AdminSignOut, QrAdmin } from './admin/admin.ts';
export type { AdminEvent } from './admin/admin-event.ts';
export type { ExportSources } from './admin/export-lines.ts';
export type { ActionOptions } from './config/actions.ts';
export type { AppOptions } from './config/apps.ts';
export type { AskPhoneOptions } from './config/ask-phone.ts';
export type { CibaOptions } from './config/ciba.ts';
export type { QrLoginOptions } from './config/options.ts';
export type { PushOptions } from './config/push.ts';
export type { LimitOptions } from './config/rate-limits.ts';
export type { Health } from './health.ts';
export type { Approval, ApprovalRequest } from './http/actions/action-requests.ts';
export type { ApprovalResult, GivenApproval, RefusedApproval } from './http/actions/action-results.ts';
export type { FindHintedAccount } from './http/actions/client-actions.ts';
export type { AppGrantEntry } from './http/api/app-grants.ts';
export type { AndroidApp, NativeApps } from './http/api/app-links.ts';
export type { PasskeyEvent } from './http/browser/passkey.ts';
export type { SignedOutEvent } from './http/devices/remote-sign-out.ts';
export type { Activity, RecentState, RecentTicket } from './http/events/activity.ts';
export type { EnrolmentEvent } from './http/events/enrolment-events.ts';
export type { ActionEvent, FailureEvent, TicketEvent, TicketEventName } from './http/events/ticket-events.ts';
export type { AppIdentity, AssureApp, DecisionRecord, OnDecision } from './http/hooks/app-hooks.ts';
export {
  type ApproveGuard,
  type Challenge,
  type PasskeyOwner,
  type PasskeySignIn,
  type Proof,
  ProofRefused,
  type ProofRequest,
} from './http/hooks/approve-guard.ts';
export type {
  ApprovedPasskey,
  BrowserPasskey,
  BrowserPasskeys,
  CreationOptions,
  PasskeyBrowser,
} from './http/hooks/browser-passkeys.ts';
export type {
  ConsentPolicy,
  LoginPage,
  NewSignIn,
  OnSignIn,
  OtherWays,
  OwnPage,
  PhoneSignIn,
  SignIn,
} from './http/hooks/hooks.ts';
export type { Translate, Values } from './http/hooks/translate.ts';
export type { ClientLogo, Logo, LogoType } from './http/pages/client-logos.ts';
export type {
  BrowserEntry,
  BrowserPasskeyEntry,
  KnownBrowserEntry,
  Link,
  Pages,
  PageTools,
  PhoneView,
  RequestEntry,
} from './http/pages/page-data.ts';
export type { Vapid } from './http/push/push-sender.ts';
export type { Locate } from './http/request/device.ts';
export { TooManyRequests } from './http/request/rate-limits.ts';
export type { FindNamedAccount, VerifyUserCode } from './http/requests/backchannel-hooks.ts';
export type { UnnotifiedEvent } from './http/requests/client-answers.ts';
export type { NotifiedRequest, Notify } from './http/requests/notifier.ts';
export type { PendingEntry } from './http/requests/pending-list.ts';
export type { StreamStyle } from './http/streams/connection.ts';
export type { BrowserView, DrawnView, ShownCode } from './http/ticket-view/browser-view.ts';
export type { Account, Assurance, Assure, FindAccount } from './oidc/approver.ts';
export type { CibaHooks } from './oidc/backchannel/ciba-hooks.ts';
export {
  type LocalAuthentication,
  type LocalAuthenticationOptions,
  localAuthentication,
} from './oidc/local-authentication.ts';
export type { ConsentMode } from './oidc/request/request.ts';
export type { SignInMethod } from './oidc/session/sign-in-method.ts';
export type { PausedEvent, QrLoginEvents } from './provider-events.ts';
export { type ManagedBrowser, type OwnView, type QrLogin, qrLogin } from './qr-login.ts';
export type { KeyvAdapterOptions } from './stores/adapter/adapter-secrets.ts';
export { keyvAdapter } from './stores/adapter/keyv-adapter.ts';
export type { AnyKeyv } from './stores/keyv-version.ts';
export type { Rate, RateLimit } from './stores/rate-limit.ts';
export type { BackgroundCallbacks, MakeStoreEngine, StoreEngine } from './stores/store-engine.ts';
export type { BlockedOrigin } from './ticket/blocks.ts';
export type { BrowserKey } from './ticket/browsers/browser-key.ts';
export type { BrowserList, ListedBrowser, Use } from './ticket/browsers/browser-list.ts';
export type { Duration } from './ticket/browsers/duration.ts';
export type { KnownBrowser, KnownBrowsers } from './ticket/browsers/known-browser.ts';
export type { SignedInBrowser, SignedInBrowsers } from './ticket/browsers/signed-in-browser.ts';
export type { CheckCodeEntry } from './ticket/change.ts';
export { type ErrorCode, QrLoginError } from './ticket/errors.ts';
export type { Clock, Listener, Notes, Signals, TicketStore } from './ticket/ports.ts';
export type { PendingRequest, PendingRequests } from './ticket/requests/pending-request.ts';
export {
  type ApproverSignIn,
  type Assess,
  assessByDefault,
  type Device,
  type RiskContext,
  type Verdict,
} from './ticket/risk.ts';
export type {
  Action,
  AskedPhones,
  BackchannelRequest,
  Consent,
  KnownBy,
  NumberEntry,
  Place,
  Requirements,
  SignInRequest,
  Ticket,
} from './ticket/ticket.ts';
