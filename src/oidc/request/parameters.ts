/** Returns an authorization request's parameter as text, or undefined if it is missing or empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns the entries of a parameter that is a list separated by spaces. */
export function words(value: unknown): string[] {
  return (text(value) ?? '').split(' ').filter(Boolean);
}
