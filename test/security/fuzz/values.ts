/** Wrong values for any field: garbage, and values that are almost right. */
import fc, { type Arbitrary } from 'fast-check';

/** A mark in the values that are sent. An answer that contains the mark echoes the request. */
export const CANARY = 'qzcanary';
/** The mark as markup, as a page would contain it without escaping. */
const MARKUP: string = `<svg/onload=${CANARY}>`;

/** A small change of a good value. */
export interface Change {
  readonly way: 'flip' | 'cut' | 'cut the beginning' | 'swap' | 'insert' | 'swap the case' | 'twice' | 'replace';
  readonly at: number;
  readonly by: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export const changes: Arbitrary<Change> = fc.record({
  way: fc.constantFrom('flip', 'cut', 'cut the beginning', 'swap', 'insert', 'swap the case', 'twice', 'replace'),
  at: fc.nat({ max: 200 }),
  by: fc.constantFrom(...ALPHABET, '.', '~'),
});

const EDITS: Readonly<Record<Change['way'], (text: string, at: number, by: string) => string>> = {
  // Flip one of the six bits that a base64url digit encodes.
  flip: (text, at, by) => {
    const bits = ALPHABET.indexOf(text[at] ?? '') ^ (1 << (by.charCodeAt(0) % 6));
    return text.slice(0, at) + (ALPHABET[bits] ?? by) + text.slice(at + 1);
  },
  cut: (text, at) => text.slice(0, at),
  'cut the beginning': (text, at) => text.slice(at + 1),
  swap: (text, at) => text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2),
  insert: (text, at, by) => text.slice(0, at) + by + text.slice(at),
  'swap the case': (text, at) => {
    const letter = text[at] ?? '';
    const swapped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    return text.slice(0, at) + swapped + text.slice(at + 1);
  },
  twice: (text) => text + text,
  replace: (text, at, by) => text.slice(0, at) + by + text.slice(at + 1),
};

/** Returns the changed text, which is never the same and never empty. */
export function applyChange(text: string, { way, at, by }: Change): string {
  const edited = EDITS[way](text, at % Math.max(1, text.length), by);
  return edited === text || edited === '' ? `${text}${by}` : edited;
}

const NASTY = [
  MARKUP,
  `"><script>${CANARY}</script>`,
  `' onerror=${CANARY} x='`,
  `${CANARY}\r\nset-cookie: ${CANARY}=1`,
  `%0d%0aset-cookie:%20${CANARY}=1`,
  `../../../${CANARY}`,
  `..%2f..%2f${CANARY}`,
  `..\\..\\${CANARY}`,
  `//${CANARY}.example/`,
  `https://${CANARY}.example/`,
  `javascript:${CANARY}`,
  `\${${CANARY}}<%= ${CANARY} %>{{${CANARY}}}`,
  `\u0000${CANARY}`,
  `%00${CANARY}`,
  `%${CANARY}`,
  `%E0%A4%A${CANARY}`,
  `%ff%fe${CANARY}`,
  `\u202e${CANARY}\ufeff`,
  `${CANARY} \n{"a":1}`,
  '__proto__',
  'constructor',
  '',
  '0',
  '999999999',
  '-1',
  'null',
  '[]',
];

/** Any text, mostly with the mark. The longest is longer than Node accepts in a request's head. */
export const texts: Arbitrary<string> = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 10, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text + CANARY) },
  { weight: 10, arbitrary: fc.string({ maxLength: 60 }).map((text) => CANARY + text) },
  { weight: 5, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text + MARKUP) },
  { weight: 5, arbitrary: fc.nat({ max: 3_000 }).map((length) => CANARY.repeat(1 + length / CANARY.length)) },
  { weight: 1, arbitrary: fc.constant(CANARY.repeat(20_000 / CANARY.length)) },
);
