/** Changes oidc-provider's models, which are the classes of its records. */

/** A class of oidc-provider's records (`T`), reduced to the members that the plugin uses with that type. */
export interface Model<T extends object> {
  find(id: string, options?: object): Promise<T | undefined>;
  readonly prototype: T;
}

/** Adds a field to those that oidc-provider keeps in the records of a model. */
export function addToPayload(model: object, field: string): void {
  const fields: unknown = Reflect.get(model, 'IN_PAYLOAD');
  if (!Array.isArray(fields)) throw new TypeError('this version of oidc-provider keeps its records in another way');
  Object.defineProperty(model, 'IN_PAYLOAD', { value: [...fields, field], configurable: true });
}

/** Replaces a method. */
export function replace<T extends object, Name extends keyof T>(
  target: T,
  name: Name,
  replacement: (original: T[Name]) => T[Name],
): void {
  target[name] = replacement(target[name]);
}
