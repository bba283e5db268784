/** Writes the example's log: events as JSON lines, without secrets that a reader of the log could use. */
import type { Context, Middleware, Next } from 'koa';
import type { Provider } from 'oidc-provider';
import pino, { type DestinationStream, type Logger } from 'pino';
import { type QrLoginEvents, TooManyRequests } from '../src/index.ts';
import type { NewPasskey } from '../src/passkeys.ts';

const EVENTS: readonly Exclude<keyof QrLoginEvents, 'qr_login.failed'>[] = [
  'qr_login.shown',
  'qr_login.scanned',
  'qr_login.approved',
  'qr_login.denied',
  'qr_login.reported',
  'qr_login.cancelled',
  'qr_login.expired',
  'qr_login.finished',
  'qr_login.action',
  'qr_login.unnotified',
  'qr_login.passkey',
  'qr_login.signed_out',
  'qr_login.enrolled',
  'qr_login.unenrolled',
  'qr_login.paused',
  'qr_login.admin',
];

/** Events that may be signs of an attack. */
const WARNINGS: ReadonlySet<string> = new Set(['qr_login.reported', 'qr_login.denied', 'qr_login.paused']);

/** Fields that pino removes if code logs a whole request or response. */
const REDACTED = [
  'req.headers.cookie',
  'req.headers.authorization',
  'res.headers["set-cookie"]',
  'res.headers.location',
];

/** Makes the logger. @param destination standard error by default */
export function makeLogger(destination: DestinationStream = pino.destination(2)): Logger {
  return pino({ level: process.env.LOG_LEVEL ?? 'info', base: null, redact: REDACTED }, destination);
}

/** Logs each decision and each failure (OWASP ASVS 5.0, V16.3). */
export function logEvents(provider: Provider, logger: Logger): void {
  for (const event of EVENTS) {
    provider.on(event, (_ctx, about) => logger[WARNINGS.has(event) ? 'warn' : 'info']({ event, ...about }));
  }
  provider.on('qr_login.failed', (ctx, failed, failure) => {
    const { code, message, cause } = failed;
    const isOurs = code === 'store_unavailable' || code === 'newer_record';
    const level = isOurs ? 'error' : failed instanceof TooManyRequests ? 'warn' : 'info';
    const because = cause instanceof Error ? cause.message : undefined;
    logger[level]({ event: 'qr_login.failed', code, ...failure, message, because, path: ctx && pathOf(ctx) });
  });
  provider.on('server_error', (ctx, error) =>
    logger.error({ event: 'server_error', error: `${error}`, path: ctx && pathOf(ctx) }),
  );
}

/** Logs a new passkey. A deployment would inform the account's owner by mail or push, too. */
export function logNewPasskey(logger: Logger, { id: _id, ...passkey }: NewPasskey): void {
  logger.warn({ event: 'passkey.added', ...passkey });
}

/** Logs the path, status and duration of each request. */
export function logRequests(logger: Logger): Middleware {
  return async (ctx: Context, next: Next) => {
    const startedAt = performance.now();
    try {
      await next();
    } finally {
      const milliseconds = Math.round(performance.now() - startedAt);
      logger.debug({
        event: 'request',
        method: ctx.method,
        path: pathOf(ctx),
        status: ctx.status,
        milliseconds,
        from: ctx.ip,
      });
    }
  };
}

/**
 * Returns the path without its secrets: the query, anything long enough to be a code or the id of a ticket or
 * interaction, and a short code, which a user may have typed as an address.
 */
function pathOf(ctx: Context): string {
  return decoded(ctx.path).replace(/[\w~-]{20,}|\b[2-8fklmqrwxy]{4}-?[2-8fklmqrwxy]{4}\b/gi, '…');
}

/** Decodes a path as the router does. Returns `…` if it cannot be decoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '…';
  }
}
