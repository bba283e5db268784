import type { Context } from 'koa';
import type { App } from '../../oidc/apps/app-token.ts';
import { QrLoginError } from '../../ticket/errors.ts';

/** The origins of the pages inside of native apps: Capacitor and Ionic, on iOS and Android. */
const WEB_VIEWS: ReadonlySet<string> = new Set([
  'capacitor://localhost',
  'ionic://localhost',
  'http://localhost',
  'https://localhost',
]);

const ALLOWED_HEADERS = 'Authorization, DPoP, Content-Type, Accept';
const EXPOSED_HEADERS = 'DPoP-Nonce, WWW-Authenticate, Location, Retry-After, Date';
/** Browsers keep the answer to a preflight for at most two hours. */
const PREFLIGHT_S = 7_200;

/**
 * Lets a page of any origin read the answer (Fetch, section 3.3); `assertOwnOrigin` checks the origin when the app is
 * known. Cookies are neither sent nor read, so without a valid token a page learns no more than any program can.
 */
export function allowOrigin(ctx: Context): void {
  ctx.vary('Origin');
  const origin = ctx.get('origin');
  if (origin === '') return;
  ctx.set('Access-Control-Allow-Origin', origin);
  ctx.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
}

/** Answers a preflight, for any origin: the app is not known before the request itself. */
export function answerPreflight(ctx: Context, methods: readonly string[]): void {
  allowOrigin(ctx);
  ctx.set('Access-Control-Allow-Methods', methods.join(', '));
  ctx.set('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  ctx.set('Access-Control-Max-Age', `${PREFLIGHT_S}`);
  ctx.status = 204;
}

/**
 * Ensures that the page that sent the request belongs to the app: its origin is that of the provider, of a redirect URI
 * of the app, or of a WebView if the app is native. A client that is not a page sends no origin.
 * @throws QrLoginError `foreign_origin`, which the page cannot read
 */
export function assertOwnOrigin(ctx: Context, app: App, issuerOrigin: string): void {
  const origin = ctx.get('origin');
  if (origin === '' || origin === issuerOrigin || app.origins.includes(origin)) return;
  if (app.isNative && WEB_VIEWS.has(origin)) return;
  ctx.remove('Access-Control-Allow-Origin');
  throw new QrLoginError('foreign_origin', 'This page does not belong to the app of the token.');
}
