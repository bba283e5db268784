/** The example's own pages: templates in `examples/views`, the plugin's style around them. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Context } from 'koa';

const eta = new Eta({ views: fileURLToPath(new URL('./views', import.meta.url)), cache: true });
const style = readFileSync(new URL('../views/assets/style.css', import.meta.url));

/** As the plugin's own pages have it. */
const PROTECTION = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=()',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

export function renderPage(
  ctx: Context,
  name: 'password' | 'account' | 'rp' | 'problem' | 'sign-out',
  page: object,
): void {
  ctx.set(PROTECTION);
  ctx.type = 'html';
  ctx.body = eta.render(name, page);
}

export function serveStyle(ctx: Context): void {
  ctx.type = 'css';
  ctx.body = style;
}
