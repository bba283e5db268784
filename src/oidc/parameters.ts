/** Returns an authorization request's parameter as text, or undefined if it is missing or empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns the entries of a parameter that is a list separated by spaces. */
export function words(value: unknown): string[] {
  return (text(value) ?? '').split(' ').filter(Boolean);
}

/** The limit of characters that are shown; a longer text is cut, because it is there to be read. */
const MAX_CHARACTERS = 80;
/**
 * Characters that are invisible or that reverse the visible text: control characters and directional marks (Unicode
 * Technical Report 36, section 2.4).
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Returns a text from outside, such as a client's name, in the form in which it is shown to users. */
export function toReadableText(raw: string): string {
  const visible = raw.replace(INVISIBLE, '').trim();
  return visible.length > MAX_CHARACTERS ? `${visible.slice(0, MAX_CHARACTERS - 1)}…` : visible;
}
