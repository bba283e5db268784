import { sourceOf } from '../http/request/client-info.ts';
import { callListener } from '../oidc/call-listener.ts';
import type { Provider } from '../oidc/provider.ts';
import type { AdminAct } from './admin.ts';

/** Emitted as `qr_login.admin` on the provider, with the request's context, after an operator has changed something. */
export interface AdminEvent {
  /** The function that was called. */
  readonly act: 'block' | 'lift' | 'sign-out' | 'forget' | 'end-app' | 'remove-passkey';
  /** The name that the call has given. */
  readonly operator: string;
  /** The account that the act concerns. */
  readonly accountId: string;
  /** The network address of the operator's request. */
  readonly from: string;
  /** The id of the browser, app or passkey, or `all`; for a block, its network address or client. */
  readonly target: string;
}

/** Announces an operator's act. */
export function announceAct(
  provider: Provider,
  { ctx, operator }: AdminAct,
  done: Pick<AdminEvent, 'act' | 'accountId' | 'target'>,
): void {
  const event: AdminEvent = { ...done, operator, from: sourceOf(ctx) };
  callListener(() => provider.emit('qr_login.admin', ctx, event));
}
