/** Describes a value of a wrong type for an error message, for example as "a Map" or "undefined". */
export function kindOf(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return 'a text';
  if (typeof value !== 'object' || value === null) return String(value);
  const name = value.constructor?.name ?? 'bare object';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}
