import type { Provider } from 'oidc-provider';
import { findSigningKey, type SigningKeys } from '../oidc/actions/signed-result.ts';
import { subjectOf } from '../oidc/request/requirements.ts';
import type { QrLoginEvents } from '../provider-events.ts';
import { answerPoll, type PollAnswer } from './poll.ts';
import { deliverByPush } from './push.ts';
import { type LostSet, type Receiver, SetQueue } from './receiver.ts';
import { type SecurityEvent, signSet } from './security-event-token.ts';

type SignedOutEvent = QrLoginEvents['qr_login.signed_out'][1];
type EnrolmentEvent = QrLoginEvents['qr_login.enrolled'][1];

/** The kind of a passkey (CAEP 1.0, section 3.2.1): of this device or synchronised, or on a security key. */
export type PasskeyKind = 'fido2-platform' | 'fido2-roaming';

export interface SecurityEventOptions {
  /** The keys that sign: the same `jwks` as in the provider's configuration. */
  readonly jwks: SigningKeys;
  readonly receivers: readonly Receiver[];
  /** Called for each event that a receiver will not get, to log it. @default nothing */
  readonly onLost?: (lost: LostSet) => void;
  /** Sends the events. @default the global `fetch` */
  readonly fetch?: typeof fetch;
  /** The first pause between two tries, in milliseconds. Each further pause is twice as long. @default 1000 */
  readonly firstPauseMs?: number;
}

/** Sends the plugin's events as security event tokens. */
export interface SecurityEvents {
  /**
   * Sends `credential-change` for a passkey that was added or removed. The plugin does not know your records: call this
   * in `onNewPasskey`, and where you remove a passkey.
   * @param kind default: `fido2-platform`
   */
  readonly passkeyChanged: (accountId: string, change: 'create' | 'delete', kind?: PasskeyKind) => void;
  /**
   * Answers a poll (RFC 8936). Authenticate the receiver first, and send the answer's `body` as JSON with its `status`.
   * A poll without `returnImmediately` waits for an event, up to 20 seconds.
   * @param request the body of the poll, parsed
   * @throws TypeError if no receiver with this audience polls
   */
  readonly poll: (audience: string, request: unknown) => Promise<PollAnswer>;
  /** Returns the number of events that wait for a receiver. */
  readonly waiting: (audience: string) => number;
  /** Stops listening and delivering, and answers the polls that wait. The events that wait are lost. */
  readonly close: () => Promise<void>;
}

/**
 * Sends events of the Continuous Access Evaluation Profile (CAEP 1.0) as signed tokens (RFC 8417): `session-revoked`
 * when a browser was signed out from elsewhere or reported, and `credential-change` when a browser was enrolled or its
 * enrolment has ended. Each process sends the events of its own requests. They wait in its memory, at most 1,000 for
 * each receiver.
 * @throws TypeError if there is no private key, or if a receiver is wrong
 */
export function securityEvents(provider: Provider, options: SecurityEventOptions): SecurityEvents {
  const { jwks, receivers, onLost = () => undefined, fetch: send = fetch, firstPauseMs = 1_000 } = options;
  const key = findSigningKey(jwks);
  if (key === undefined) throw new TypeError('securityEvents needs the jwks of your provider, with a private key');
  const end = new AbortController();
  const { signal } = end;
  const queues = new Map<string, SetQueue>();
  const deliveries: Promise<void>[] = [];
  for (const { audience, push } of receivers) {
    if (queues.has(audience)) throw new TypeError(`securityEvents has two receivers with the audience ${audience}`);
    const queue = new SetQueue(({ jti }) => onLost({ audience, jti, reason: 'overflow', detail: '' }));
    queues.set(audience, queue);
    if (push === undefined) continue;
    assertEndpoint(push.endpoint);
    deliveries.push(deliverByPush({ audience, push, queue, send, signal, firstPauseMs, onLost }));
  }

  const publish = (event: SecurityEvent): void => {
    for (const receiver of receivers) {
      const queue = queues.get(receiver.audience);
      if (queue === undefined || !concerns(receiver, event)) continue;
      addressOf(provider, receiver, event.accountId)
        .then(async (address) => queue.add(await signSet(event, address, key)))
        .catch((error: unknown) => {
          onLost({ audience: receiver.audience, jti: '', reason: 'unreachable', detail: String(error) });
        });
    }
  };
  const onSignedOut = (_ctx: unknown, { accountId, clientIds }: SignedOutEvent): void =>
    publish({ accountId, type: 'session-revoked', details: {}, clientIds });
  const onEnrolled = (_ctx: unknown, event: EnrolmentEvent): void => publish(browserKeyChanged(event, 'create'));
  const onUnenrolled = (_ctx: unknown, event: EnrolmentEvent): void => publish(browserKeyChanged(event, 'delete'));
  provider.on('qr_login.signed_out', onSignedOut);
  provider.on('qr_login.enrolled', onEnrolled);
  provider.on('qr_login.unenrolled', onUnenrolled);

  return {
    passkeyChanged: (accountId, change, kind = 'fido2-platform') =>
      publish({ accountId, type: 'credential-change', details: { credential_type: kind, change_type: change } }),
    poll: async (audience, request) => {
      const queue = queues.get(audience);
      const polls = receivers.some((receiver) => receiver.audience === audience && receiver.push === undefined);
      if (queue === undefined || !polls) throw new TypeError(`no receiver with the audience ${audience} polls`);
      return answerPoll({ audience, queue, signal, onLost }, request);
    },
    waiting: (audience) => queues.get(audience)?.size ?? 0,
    close: async () => {
      provider.off('qr_login.signed_out', onSignedOut);
      provider.off('qr_login.enrolled', onEnrolled);
      provider.off('qr_login.unenrolled', onUnenrolled);
      end.abort();
      for (const queue of queues.values()) queue.wake();
      await Promise.all(deliveries);
    },
  };
}

/**
 * Returns the event for the key of an enrolled browser. CAEP has no type for it, and allows others that both sides know
 * (CAEP 1.0, section 3.2).
 */
function browserKeyChanged({ accountId, by }: EnrolmentEvent, change: 'create' | 'delete'): SecurityEvent {
  return {
    accountId,
    type: 'credential-change',
    details: {
      credential_type: 'browser-key',
      change_type: change,
      ...(change === 'create' && { initiating_entity: by === 'deployment' ? 'admin' : 'user' }),
    },
  };
}

function concerns({ clientId }: Receiver, { clientIds }: SecurityEvent): boolean {
  return clientId === undefined || clientIds === undefined || clientIds.includes(clientId);
}

async function addressOf(
  provider: Provider,
  { audience, clientId }: Receiver,
  accountId: string,
): Promise<{ readonly issuer: string; readonly audience: string; readonly subject: string }> {
  const subject = clientId === undefined ? accountId : await subjectOf(provider, clientId, accountId);
  if (subject === undefined) throw new Error(`the client ${clientId} is not registered`);
  return { issuer: provider.issuer, audience, subject };
}

/** Ensures that events are sent over TLS, or to this machine. */
function assertEndpoint(endpoint: string): void {
  const { protocol, hostname } = new URL(endpoint);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isHere)) return;
  throw new TypeError(`the endpoint of a receiver must be an https address, not ${endpoint}`);
}
