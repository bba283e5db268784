/** An authorization request's parameter as text; undefined where it is missing or empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A parameter that is a list with spaces between its entries. */
export function words(value: unknown): string[] {
  return (text(value) ?? '').split(' ').filter(Boolean);
}

/** Longer ones are cut: they are there to be read. */
const LONGEST = 80;
/** What is not seen, or turns around what is: controls, and marks of direction (Unicode Technical Report 36, section 2.4). */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** What others have written, as people are shown it. */
export function readable(words: string): string {
  const seen = words.replace(UNSEEN, '').trim();
  return seen.length > LONGEST ? `${seen.slice(0, LONGEST - 1)}…` : seen;
}
