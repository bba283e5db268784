import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type {
  FailureEvent,
  PasskeyEvent,
  QrLoginError,
  QrLoginEvents,
  SignedOutEvent,
  TicketEvent,
} from '../src/index.ts';
import { docPage } from './support/doc-pages.ts';

/** Every event: the compiler refuses this list if one is missing or unknown. */
const EVENTS: Readonly<Record<keyof QrLoginEvents, true>> = {
  'qr_login.shown': true,
  'qr_login.scanned': true,
  'qr_login.approved': true,
  'qr_login.denied': true,
  'qr_login.reported': true,
  'qr_login.finished': true,
  'qr_login.expired': true,
  'qr_login.cancelled': true,
  'qr_login.action': true,
  'qr_login.unnotified': true,
  'qr_login.passkey': true,
  'qr_login.signed_out': true,
  'qr_login.enrolled': true,
  'qr_login.unenrolled': true,
  'qr_login.paused': true,
  'qr_login.admin': true,
  'qr_login.failed': true,
};

type Same<One, Other> = [One, Other] extends [Other, One] ? true : never;

function same<One, Other>(_is: Same<One, Other>): void {}

/** Compiles only if the arguments of the listeners have exactly these types. */
function listenToAll(provider: Provider): void {
  provider.on('qr_login.approved', (ctx, ticket) => {
    same<typeof ctx, Context | undefined>(true);
    same<typeof ticket, TicketEvent>(true);
  });
  provider.once('qr_login.passkey', (ctx, event) => {
    same<typeof ctx, Context>(true);
    same<typeof event, PasskeyEvent>(true);
  });
  provider.addListener('qr_login.signed_out', (_ctx, event) => same<typeof event, SignedOutEvent>(true));
  provider.prependListener('qr_login.paused', (_ctx, { until }) => same<typeof until, Date>(true));
  provider.on('qr_login.failed', (_ctx, error, failure) => {
    same<typeof error, QrLoginError>(true);
    same<typeof failure, FailureEvent | undefined>(true);
  });
  // The events of oidc-provider keep their types.
  provider.on('grant.revoked', (_ctx, grantId) => same<typeof grantId, string>(true));
}

describe('the types of the events', () => {
  it('name all events of the documentation', () => {
    const [, section = ''] = docPage('docs/options.md').text.split('\n## Events\n');
    const [table = ''] = section.split('\n## ');
    const listed = [...table.matchAll(/^\| `(qr_login\.\w+)` \|/gm)].map(([, event]) => event);
    expect(listed).to.have.members(Object.keys(EVENTS));
  });

  it('let listeners be added without a cast', () => {
    const emitter = new EventEmitter();
    listenToAll(emitter as Provider);
    expect(emitter.eventNames()).to.include.members(['qr_login.approved', 'qr_login.failed', 'grant.revoked']);
  });
});
