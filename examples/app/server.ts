/** Serves the app at an origin of its own, as a hosting service for static files would. */
import { extname } from 'node:path';
import Koa from 'koa';
import type { AppFiles } from './build.ts';

const TYPES: Readonly<Record<string, string>> = {
  '': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** The pages of the app. All have the same document, whose script looks at the path. */
const PAGE = /^\/(browsers|account|signed-in|qr\/[\w-]+|tickets\/[\w-]+)?$/;

/**
 * Makes the server.
 * @param issuer the issuer of the provider, the only other origin that the app may connect to
 * @param build called at the first request, and again after a failure
 */
export function makeApp(issuer: string, build: () => Promise<AppFiles>): Koa {
  const policy = policyFor(new URL(issuer).origin);
  let building: Promise<AppFiles> | undefined;
  const files = (): Promise<AppFiles> => {
    building ??= build().catch((error: unknown) => {
      building = undefined;
      throw error;
    });
    return building;
  };

  return new Koa().use(async (ctx) => {
    ctx.set(PROTECTION);
    ctx.set('Content-Security-Policy', policy);
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return ctx.throw(405);
    const path = PAGE.test(ctx.path) ? '/' : ctx.path;
    const file = (await files()).get(path);
    if (file === undefined) return ctx.throw(404);
    ctx.type = TYPES[extname(path)] ?? 'application/octet-stream';
    // The service worker keeps the files. Its own script is compared byte by byte at each start of the app.
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = file;
  });
}

const PROTECTION: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), microphone=(), geolocation=()',
  // The address may have a code in it.
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Returns the policy of the pages: no inline scripts, no sites other than the provider, and no text that becomes a
 * script (Trusted Types).
 */
function policyFor(provider: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    `connect-src 'self' ${provider}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types app',
  ].join('; ');
}
