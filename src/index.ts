export type { TicketEvent, TicketEventName } from './http/events.ts';
export type { LoginPage, OtherWays, OwnPage, PhoneSignIn, SignIn } from './http/services.ts';
export type { Account, FindAccount } from './oidc/approver.ts';
export type { QrLoginOptions } from './options.ts';
export { type QrLogin, qrLogin } from './qr-login.ts';
export { keyvAdapter } from './stores/keyv-adapter.ts';
export { type ErrorCode, QrLoginError } from './ticket/errors.ts';
export type { CheckCodePolicy, RiskContext } from './ticket/risk.ts';
export type { SignInRequest } from './ticket/ticket.ts';
