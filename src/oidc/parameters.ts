/** An authorization request's parameter as text; undefined where it is missing or empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A parameter that is a list with spaces between its entries. */
export function words(value: unknown): string[] {
  return (text(value) ?? '').split(' ').filter(Boolean);
}
