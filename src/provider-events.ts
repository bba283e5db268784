import type { Context } from 'koa';
import type { AdminEvent } from './admin/admin-event.ts';
import type { PasskeyEvent } from './http/browser/passkey.ts';
import type { SignedOutEvent } from './http/devices/remote-sign-out.ts';
import type { EnrolmentEvent } from './http/events/enrolment-events.ts';
import type { ActionEvent, FailureEvent, TicketEvent, TicketEventName } from './http/events/ticket-events.ts';
import type { UnnotifiedEvent } from './http/requests/client-answers.ts';
import type { QrLoginError } from './ticket/errors.ts';

/** The data of `qr_login.paused`: too many check codes of an account were wrong in a row. */
export interface PausedEvent {
  readonly accountId: string;
  /** The network address of the request with the last wrong check code. */
  readonly from: string;
  /** Until this time, sign-ins of the account that need a check code are refused. */
  readonly until: Date;
}

type TicketEvents = Readonly<Record<TicketEventName, [ctx: Context | undefined, ticket: TicketEvent]>>;

/** The arguments of the listeners of each event that the plugin emits on the provider. */
export interface QrLoginEvents extends TicketEvents {
  readonly 'qr_login.action': [ctx: Context | undefined, event: ActionEvent];
  readonly 'qr_login.unnotified': [ctx: Context, event: UnnotifiedEvent];
  readonly 'qr_login.passkey': [ctx: Context, event: PasskeyEvent];
  readonly 'qr_login.signed_out': [ctx: Context, event: SignedOutEvent];
  /** There is no context if the deployment has enrolled the browser (`qr.enrol()`). */
  readonly 'qr_login.enrolled': [ctx: Context | undefined, event: EnrolmentEvent];
  readonly 'qr_login.unenrolled': [ctx: Context | undefined, event: EnrolmentEvent];
  readonly 'qr_login.paused': [ctx: Context, event: PausedEvent];
  readonly 'qr_login.admin': [ctx: Context, event: AdminEvent];
  /** A failure in the background, outside of any request, has neither a context nor a {@link FailureEvent}. */
  readonly 'qr_login.failed': [ctx: Context | undefined, error: QrLoginError, failure?: FailureEvent];
}

type Listener<Name extends keyof QrLoginEvents> = (...args: QrLoginEvents[Name]) => void;

declare module 'oidc-provider' {
  // Added to the class, so that its listeners are typed without a cast.
  interface Provider {
    on<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
    once<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
    off<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
    addListener<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
    removeListener<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
    prependListener<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
    prependOnceListener<Name extends keyof QrLoginEvents>(event: Name, listener: Listener<Name>): this;
  }
}
