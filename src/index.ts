export type { Health } from './health.ts';
export type { BrowserView, DrawnView, ShownCode } from './http/browser-view.ts';
export type { Locate } from './http/device.ts';
export type { FailureEvent, TicketEvent, TicketEventName } from './http/events.ts';
export type { Translate, Values } from './http/language.ts';
export { TooManyRequests } from './http/limits.ts';
export type { BrowserEntry, Link, Pages, PageTools, PhoneView } from './http/pages.ts';
export type { PasskeyEvent } from './http/passkey.ts';
export {
  type ApproveGuard,
  type Challenge,
  type PasskeyOwner,
  type PasskeySignIn,
  type Proof,
  ProofRefused,
  type ProofRequest,
} from './http/proof.ts';
export type { SignedOutEvent } from './http/remote-sign-out.ts';
export type { ConsentPolicy, LoginPage, OtherWays, OwnPage, PhoneSignIn, SignIn } from './http/services.ts';
export type { NewSignIn, OnSignIn } from './http/sign-ins.ts';
export type { LimitOptions } from './limit-options.ts';
export type { Account, Assurance, Assure, FindAccount } from './oidc/approver.ts';
export type { ConsentMode } from './oidc/request.ts';
export type { QrLoginOptions } from './options.ts';
export { type OwnView, type QrLogin, qrLogin } from './qr-login.ts';
export { keyvAdapter } from './stores/keyv-adapter.ts';
export { type ErrorCode, QrLoginError } from './ticket/errors.ts';
export { type Assess, assessByDefault, type Device, type RiskContext, type Verdict } from './ticket/risk.ts';
export type { Consent, Place, Requirements, SignInRequest } from './ticket/ticket.ts';
