import { createHash } from 'node:crypto';
import { qrStyle } from '#files';
import { type Assets, STYLE, THEME } from './assets.ts';
import type { PageStyle } from './page-data.ts';

/** The longest style sheet of a deployment that is written into the QR page, in bytes. */
const MAX_THEME_BYTES = 4096;
/**
 * A style sheet stays in a file of its own if it loads another one, if it would end its element in the page, or if it
 * has an address that is relative to the file.
 */
const NOT_INLINE = /@import|@charset|<\/style|\0|image-set\(|url\((?!\s*["']?(?:\/|#|[a-z][a-z\d+.-]*:))/i;

/**
 * Returns the style that is in the HTML of the QR page, so that the page shows its code without another request: the
 * part of our style sheet that this page uses, and the deployment's `theme.css` if it is small.
 * @param theme the URL of the deployment's style sheet, if there is one
 */
export function makeQrStyle(assets: Assets, theme: string | undefined): PageStyle {
  // A deployment that replaces our style sheet replaces it on this page, too.
  if (!assets.isBuiltIn(STYLE))
    return { css: '', sheets: [assets.url(STYLE), ...(theme === undefined ? [] : [theme])] };
  if (theme === undefined) return { css: qrStyle, sheets: [] };
  // Normalize the style as browsers do, because they hash it after that.
  const own = assets
    .text(THEME)
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n');
  const isInline = Buffer.byteLength(own) <= MAX_THEME_BYTES && !NOT_INLINE.test(own);
  return isInline ? { css: `${qrStyle}\n${own}`, sheets: [] } : { css: qrStyle, sheets: [theme] };
}

/** Returns the source expression that allows this text in a `style` element (CSP Level 3, section 2.3.1). */
export function hashSource(css: string): string {
  return `'sha256-${createHash('sha256').update(css).digest('base64')}'`;
}
