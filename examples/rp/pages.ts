/** Renders the only page of the demo RP. The RP is another site than the provider, but uses the same style sheet. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Context } from 'koa';
import type { PaymentOutcome } from './payments.ts';

const eta = new Eta({ views: fileURLToPath(new URL('.', import.meta.url)), cache: true });
const style = readFileSync(new URL('../../views/assets/style.css', import.meta.url));

const PROTECTION = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** The data of the page. */
export interface RpPage {
  readonly name: string;
  readonly claims?: object | undefined;
  readonly userinfo?: object | undefined;
  readonly error?: unknown;
  /** True if the user has just signed out. */
  readonly isSignedOut?: boolean;
  /** The end of a payment, and the order that it was for. */
  readonly outcome?: PaymentOutcome;
  readonly order?: string;
}

export function renderPage(ctx: Context, page: RpPage): void {
  ctx.set(PROTECTION);
  ctx.type = 'html';
  ctx.body = eta.render('page', page);
}

export function serveStyle(ctx: Context): void {
  ctx.type = 'css';
  ctx.body = style;
}
