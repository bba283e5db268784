/** A name that is spelt wrong would be an option that does nothing. */
export function assertKnown(kind: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`there is no ${kind} "${unknown}"; there are ${known.join(', ')}`);
}
