import type { OutgoingHttpHeaders } from 'node:http';
import type { Context } from 'koa';
import type { PluginRequest } from './plugin-request.ts';

/**
 * Sets the headers of every answer: it may not be framed, stored or sniffed, and its address is not sent to other sites
 * (OWASP ASVS 5.0, V3.4).
 */
export function protectAnswer({ res }: Context): void {
  if (res.headersSent) return;
  for (const [name, value] of PROTECTION) res.setHeader(name, value);
}

/** Calls {@link protectAnswer}, and returns the headers that the answer had before, for {@link unprotect}. */
export function protect(ctx: Context): OutgoingHttpHeaders {
  const before = ctx.res.getHeaders();
  protectAnswer(ctx);
  return before;
}

/** Restores the headers that the answer had before {@link protect}, because the page is not ours. */
export function unprotect({ ctx: { res }, hostHeaders }: Pick<PluginRequest, 'ctx' | 'hostHeaders'>): void {
  if (res.headersSent) return;
  for (const [name] of PROTECTION) {
    const before = hostHeaders[name.toLowerCase()];
    if (before === undefined) res.removeHeader(name);
    else res.setHeader(name, before);
  }
}

/**
 * Replaces the policy of a file by a short one, which saves nearly 100 bytes a file. What a script or a style sheet may
 * load is decided by the policy of the page that uses it.
 */
export function protectFile({ res }: Context): void {
  res.setHeader('Content-Security-Policy', FILE_SECURITY_POLICY);
}

const FILE_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/**
 * Does the same as {@link protectFile} for a picture that the deployment may have got from others. If an SVG is opened
 * as a page of its own, `sandbox` makes it a document of a foreign origin without scripts. Inside an `<img>`, an SVG
 * runs no scripts in any case.
 */
export function protectImage({ res }: Context): void {
  res.setHeader('Content-Security-Policy', `${FILE_SECURITY_POLICY}; sandbox`);
}

/**
 * Cuts the page off from windows of other sites, which then cannot navigate it (OWASP ASVS 5.0, V3.4.8). Only for the
 * phone's pages: an RP may show the browser's pages in a window of its own.
 */
export function isolateWindow({ res }: Context): void {
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
}

/**
 * Returns the policy of a page that has a style in its HTML.
 * @param style the source expression that allows this style alone
 */
export function pagePolicy(style: string): string {
  return CONTENT_SECURITY_POLICY.replace("style-src 'self'", `style-src 'self' ${style}`);
}

/** There is no `form-action`: browsers apply it to a form's redirects, too, and those end at the RP. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PROTECTION: readonly (readonly [string, string])[] = Object.entries({
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Only the page with the camera allows the camera, by a header of its own.
  'Permissions-Policy': 'camera=()',
  // With `no-referrer`, browsers would send `Origin: null` with a form, so its origin could not be checked.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
});
