/** Turns JSON Schemas (draft 2020-12), which OpenAPI 3.1 uses, into TypeScript types. */

export type Schema = Readonly<Record<string, unknown>>;

/** Returns the declarations of all schemas of an OpenAPI document. */
export function declareSchemas(schemas: Readonly<Record<string, Schema>>): string {
  return Object.entries(schemas)
    .map(([name, schema]) => `type ${name} = ${typeOf(schema)};\n`)
    .join('');
}

/** @throws Error for a schema with an unknown keyword */
export function typeOf(schema: Schema): string {
  const { $ref, oneOf, const: value, enum: values, type } = schema;
  if (typeof $ref === 'string') return $ref.replace('#/components/schemas/', '');
  if (Array.isArray(oneOf)) return oneOf.map(typeOf).join(' | ');
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(values)) return values.map((one) => JSON.stringify(one)).join(' | ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  if (type === 'array') return `readonly (${typeOf(schema.items as Schema)})[]`;
  if (type === 'object') return objectType(schema);
  const plain = { string: 'string', number: 'number', integer: 'number', boolean: 'boolean' }[`${type}`];
  if (plain === undefined) throw new Error(`this schema has no TypeScript type: ${JSON.stringify(schema)}`);
  return plain;
}

function objectType({ properties, required }: Schema): string {
  if (properties === undefined) return 'object';
  const names: readonly unknown[] = Array.isArray(required) ? required : [];
  const members = Object.entries(properties as Readonly<Record<string, Schema>>);
  const lines = members.map(
    ([name, schema]) => `readonly ${name}${names.includes(name) ? '' : '?'}: ${typeOf(schema)};`,
  );
  return `{ ${lines.join(' ')} }`;
}
