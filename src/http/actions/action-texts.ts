import { isReadableText } from '../../oidc/request/readable-text.ts';
import type { Action } from '../../ticket/ticket.ts';

const MAX_TITLE = 80;
const MAX_LINE = 120;
const MAX_LINES = 10;
/** The most characters of a `reference`. It is not shown, and the result repeats it. */
const MAX_REFERENCE = 256;
const REFERENCE = new RegExp(`^[\\x20-\\x7e]{1,${MAX_REFERENCE}}$`);

/** The parts of an action that its requester writes. */
export type ActionTexts = Pick<Action, 'title' | 'details' | 'reference'>;

/**
 * Returns what is wrong with the texts of an action, in the words of a message; undefined if they are right. A text is
 * refused, and not changed, if a page could not show it as it is: what the user sees is what is hashed and signed.
 */
export function findTextFault({ title, details, reference }: ActionTexts): string | undefined {
  if (title === '' || !isReadableText(title, MAX_TITLE))
    return `"title" must be one line of 1 to ${MAX_TITLE} visible characters`;
  const lines = details === '' ? [] : details.split('\n');
  if (lines.length > MAX_LINES || lines.some((line) => !isReadableText(line, MAX_LINE)))
    return `"details" must be at most ${MAX_LINES} lines of at most ${MAX_LINE} visible characters`;
  if (reference !== undefined && !REFERENCE.test(reference))
    return `"reference" must be 1 to ${MAX_REFERENCE} characters of printable ASCII`;
  return undefined;
}

/**
 * Makes the details of an action from lines in the language of a page. Removes the characters that isolate values in
 * right-to-left texts (Unicode Standard Annex 9): they are invisible, and details must have no invisible characters.
 */
export function toDetails(lines: readonly string[]): string {
  return lines.map((line) => line.replaceAll(/[\u2068\u2069]/g, '')).join('\n');
}
