/** The field for the six digits. The server reads them in any form: this only tells when all are there. */
const DIGIT = /\p{Nd}/gu;
const DIGITS = 6;

export function hasAllDigits(typed: string): boolean {
  return typed.match(DIGIT)?.length === DIGITS;
}
