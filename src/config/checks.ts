/** What is wrong with an option, and what to write instead: each throws a TypeError that says it. */

/** A name that is spelt wrong would be an option that does nothing. */
export function assertKnown(kind: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`there is no ${kind} "${unknown}"; there are ${known.join(', ')}`);
}

export function assertObject(name: string, given: object): void {
  if (typeof given === 'object' && given !== null) return;
  throw new TypeError(`${name} must be an object of numbers, not ${JSON.stringify(given)}; limits: false is none`);
}

export function checkedHook<T extends object>(
  name: string,
  hook: T | undefined,
  methods: readonly (keyof T & string)[],
): T | undefined {
  if (hook === undefined || methods.every((method) => typeof hook?.[method] === 'function')) return hook;
  throw new TypeError(`${name} must have the functions ${methods.join(' and ')}; passkeys() makes one`);
}

export function milliseconds(name: string, seconds: number, most: number): number {
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= most) return seconds * 1000;
  throw new TypeError(`${name} must be a number of seconds from 1 to ${most}, not ${seconds}`);
}

export function assertFunction(name: string, value: unknown, example: string): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, for example ${example}`);
}

export function assertOptionalFunction(name: string, value: unknown, example: string): void {
  if (value !== undefined) assertFunction(name, value, example);
}
