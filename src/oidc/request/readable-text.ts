/** The most characters, as a reader counts them, that are shown of a text. A longer text is cut. */
const MAX_CHARACTERS = 80;
/** The most code points of one such character. The longest emoji has ten. */
const MAX_CODE_POINTS = 16;
/**
 * The most nonspacing marks on one letter (Unicode Technical Standard 39, section 5.4). More would cover other lines.
 */
const MAX_MARKS = 4;

/** Spaces and line breaks, and the characters that look like spaces. */
const BLANK = /[\p{White_Space}\u{2800}\u{1D159}\u{13441}\u{13442}]/gu;

/** The scripts in which a joiner decides how a letter looks. */
const JOINING = `[${[
  ...['Adlam', 'Arabic', 'Balinese', 'Bengali', 'Brahmi', 'Chakma', 'Devanagari', 'Grantha', 'Gujarati', 'Gurmukhi'],
  ...['Hanifi_Rohingya', 'Javanese', 'Kaithi', 'Kannada', 'Khmer', 'Malayalam', 'Mandaic', 'Mongolian', 'Myanmar'],
  ...['Newa', 'Nko', 'Oriya', 'Sinhala', 'Sundanese', 'Syriac', 'Tamil', 'Telugu', 'Tibetan', 'Tirhuta'],
]
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join('')}]`;

/** Invisible characters in the only places where they change what is visible. */
const MEANINGFUL = [
  // ZERO WIDTH NON-JOINER between two letters (Persian), and ZERO WIDTH JOINER after one (Sinhala, Malayalam).
  `(?<=${JOINING})(?:\\u200C(?=[\\u200C\\u200D]*${JOINING})|\\u200D)`,
  // The vowel separator and the variants of Mongolian letters.
  '(?<=\\p{Script=Mongolian})[\\u180B-\\u180F]',
  // The joiner and the style of emoji, and the style of a digit on a key.
  '(?<=\\p{Extended_Pictographic}(?:\\uFE0F|\\p{Emoji_Modifier})?)\\u200D(?=\\p{Extended_Pictographic})',
  '(?<=\\p{Extended_Pictographic})[\\uFE0E\\uFE0F]',
  '(?<=[0-9#*])\\uFE0F(?=\\u20E3)',
  // The variants of Chinese characters, by which Japanese names differ.
  '(?<=\\p{Unified_Ideograph})[\\u{E0100}-\\u{E01EF}]',
].join('|');

/**
 * Characters that are invisible or that reorder the text around them (Unicode Technical Report 36, section 2.4): soft
 * hyphens, zero width spaces, Hangul fillers, variation selectors, tags, directional controls, private use. Characters
 * that the expression captures ({@link MEANINGFUL}) stay.
 */
const INVISIBLE = new RegExp(
  `(${MEANINGFUL})|[\\p{Default_Ignorable_Code_Point}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\p{Noncharacter_Code_Point}\\uFFFC]`,
  'gu',
);

/** Marks without a letter, which would cover the character in front of the text. */
const STRAY_MARKS = /(^| )[\p{M}\u200C\u200D]+/gu;
const NONSPACING = /^[\p{Mn}\p{Me}]$/u;
const ATTACHED = /^[\p{M}\u200C\u200D]$/u;

/** Printable ASCII in one line, without two spaces in a row: most names. Nothing in it is invisible. */
const PLAIN = new RegExp(`^(?=.{0,${MAX_CHARACTERS}}$)[!-~]+(?: [!-~]+)*$`);

const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Returns a text from outside, such as a client's name, in the form in which it is shown to users: without what is
 * invisible, reorders or covers other text, on one line, and not too long. It is empty if nothing visible is left.
 * @param max the most characters, as a reader counts them
 */
export function toReadableText(raw: string, max: number = MAX_CHARACTERS): string {
  if (raw === '' || (raw.length <= max && PLAIN.test(raw))) return raw;
  const shown: string[] = [];
  for (const { segment } of characters.segment(visibleIn(raw))) {
    if (shown.length === max) return `${shown.slice(0, -1).join('')}…`;
    shown.push(limitMarks(segment));
  }
  return shown.join('');
}

/**
 * Returns true if a text of one line is shown as it is: nothing in it is invisible, reorders or covers other text.
 * @param max the most characters, as a reader counts them
 */
export function isReadableText(text: string, max: number): boolean {
  const segments = [...characters.segment(text)].map(({ segment }) => segment);
  return segments.length <= max && visibleIn(text) === text && segments.every((one) => limitMarks(one) === one);
}

function visibleIn(raw: string): string {
  return raw.replace(BLANK, ' ').replace(INVISIBLE, '$1').replace(STRAY_MARKS, '$1').replace(/ +/g, ' ').trim();
}

/** Returns one character, as a reader counts them, with as many marks and code points as scripts need. */
function limitMarks(character: string): string {
  let marks = 0;
  const kept = [...character].filter((point) => {
    if (!ATTACHED.test(point)) marks = 0;
    return !NONSPACING.test(point) || ++marks <= MAX_MARKS;
  });
  return kept.slice(0, MAX_CODE_POINTS).join('');
}

/** Returns a value as JSON for display. Characters that are invisible or reorder the text are written as escapes. */
export function toReadableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
