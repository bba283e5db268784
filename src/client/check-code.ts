/** The field for the six digits. The server reads them in any form: this only groups them, and tells when all are there. */
const DIGIT = /\p{Nd}/gu;
const DIGITS = 6;
/** The digits are shown in groups of this many, here as on the phone. */
const GROUP = 3;

export function hasAllDigits(typed: string): boolean {
  return digitsIn(typed).length === DIGITS;
}

/** Shows the digits as the phone does: `123 456`. Full-width digits become plain ones. */
export function groupDigits(field: HTMLInputElement): void {
  // An insertion before the end stays as it was typed, because a new value would move the caret.
  if (field.selectionEnd !== field.value.length) return;
  const digits = digitsIn(field.value);
  const rest = digits.slice(GROUP).join('');
  const grouped = digits.slice(0, GROUP).join('') + (rest && ` ${rest}`);
  if (field.value !== grouped) field.value = grouped;
}

function digitsIn(typed: string): string[] {
  return typed.normalize('NFKC').match(DIGIT) ?? [];
}
