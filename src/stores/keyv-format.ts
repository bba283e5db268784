import type { Keyv } from 'keyv';
import { asKeyv6, type Keyv6, makeKeyv } from './keyv-version.ts';

/** The name of a part of a Keyv that changes what is stored. */
export type FormatPart = 'serialize' | 'deserialize' | 'serialization' | 'compression' | 'encryption' | 'hooks';

type Serialize = Keyv['serialize'];
type Deserialize = Keyv['deserialize'];

/** A value in the form in which Keyv stores it, and its text as Keyv's default serializer writes it. */
const SAMPLE = { value: { list: [1, 'two', null], text: 'three' }, expires: 4 };
const SAMPLE_TEXT = JSON.stringify(SAMPLE);

/** A Keyv of the installed version, made on first use. */
let installed: Keyv | undefined;

/**
 * Returns the parts of a Keyv that are not Keyv's defaults, and so make it store something else than JSON: encrypted
 * text, for example. An empty list means that its values can be read and written without it.
 */
export function ownFormatOf(keyv: Keyv): FormatPart[] {
  installed ??= makeKeyv();
  const keyv6 = asKeyv6(keyv);
  return keyv6 ? ownPartsOf6(keyv6, asKeyv6(installed)) : ownPartsOf5(keyv, installed);
}

function ownPartsOf5({ serialize, deserialize, compression, hooks }: Keyv, defaults: Keyv): FormatPart[] {
  return namesOf({
    serialize: serialize !== defaults.serialize && !isDefaultSerialize(serialize),
    deserialize: deserialize !== defaults.deserialize && !isDefaultDeserialize(deserialize),
    compression: compression !== undefined,
    // Keyv keeps an empty list after the last handler was removed.
    hooks: hasHandlers(hooks.handlers),
  });
}

function ownPartsOf6(keyv: Keyv6, defaults: Keyv6 | undefined): FormatPart[] {
  const { serialization, compression, encryption, hooks } = keyv;
  const maker = serialization?.constructor;
  const isDefault = maker === defaults?.serialization?.constructor || maker?.name === 'KeyvJsonSerializer';
  return namesOf({
    serialization: serialization === undefined || !isDefault,
    compression: compression !== undefined,
    encryption: encryption !== undefined,
    hooks: hasHandlers(hooks),
  });
}

function namesOf(parts: Partial<Record<FormatPart, boolean>>): FormatPart[] {
  const names: FormatPart[] = ['serialize', 'deserialize', 'serialization', 'compression', 'encryption', 'hooks'];
  return names.filter((name) => parts[name]);
}

function hasHandlers(hooks: ReadonlyMap<string, readonly unknown[]>): boolean {
  return [...hooks.values()].some((handlers) => handlers.length > 0);
}

/** Returns true for the function of a second copy of Keyv, which is another function with the same name. */
function isDefaultSerialize(serialize: Serialize): boolean {
  return serialize?.name === 'defaultSerialize' && serialize(SAMPLE) === SAMPLE_TEXT;
}

function isDefaultDeserialize(deserialize: Deserialize): boolean {
  return deserialize?.name === 'defaultDeserialize' && JSON.stringify(deserialize(SAMPLE_TEXT)) === SAMPLE_TEXT;
}
