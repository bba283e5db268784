/**
 * Recognizes this provider's codes in the texts that the scan page reads (from the camera, a photo or the clipboard),
 * and shows the messages of that page.
 */

/** The beginning of the address in every code of this provider, and the number of characters that follow. */
export interface OwnCodes {
  readonly prefix: string;
  readonly length: number;
}

/**
 * Returns the address of a code of this provider; undefined for any other text, which could lead to a harmful website.
 */
export function ownAddress(text: string, { prefix, length }: OwnCodes): string | undefined {
  const code = text.slice(prefix.length);
  return text.startsWith(prefix) && code.length === length && /^[\w-]+$/.test(code) ? text : undefined;
}

/**
 * Shows the text that the template has under this name. The same text is not written again, because screen readers
 * would repeat it.
 */
export function showText(where: HTMLElement, name: string): void {
  const text = where.getAttribute(`data-${name}`) ?? '';
  if (where.textContent !== text) where.textContent = text;
}
