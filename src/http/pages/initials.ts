/** The scripts whose letters stand alone and have capitals, so that two of them are read as initials. */
const SEPARATE = /^[\p{Script=Latn}\p{Script=Cyrl}\p{Script=Grek}\p{Script=Armn}\p{N}]/u;
const READABLE = /[\p{L}\p{N}]/u;
/** Stands for a name without letters and digits. */
const NONE = '?';

const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Returns the initials of a name, for a picture of it: "AL" of "Alice Liddell", "A" of "alice@example.com". In scripts
 * whose letters are not read as initials, it is one character: "山" of "山田 太郎". '?' if the name has no letter and no
 * digit.
 */
export function initialsOf(name: string): string {
  const words = name
    .split(/\s+/)
    .map(firstCharacter)
    .filter((character) => character !== undefined);
  const [first = NONE] = words;
  const last = words.at(-1);
  const both = words.length > 1 && last !== undefined && SEPARATE.test(first) && SEPARATE.test(last);
  return (both ? first + last : first).toUpperCase();
}

/** Returns the first character of a name as a capital, be it a letter, an emoji or a sign; '' for an empty name. */
export function capitalOf(name: string): string {
  const [{ segment } = { segment: '' }] = characters.segment(name.trim());
  return segment.toUpperCase();
}

/** Returns the first letter or digit of a word together with its marks, such as accents; undefined if it has none. */
function firstCharacter(word: string): string | undefined {
  for (const { segment } of characters.segment(word)) if (READABLE.test(segment)) return segment;
  return undefined;
}
