import { Keyv } from 'keyv';

/** The name of a part of a Keyv that changes what is stored. */
export type FormatPart = 'serialize' | 'deserialize' | 'compression' | 'hooks';

type Serialize = Keyv['serialize'];
type Deserialize = Keyv['deserialize'];

const DEFAULTS = new Keyv();
/** A value in the form in which Keyv stores it, and its text as Keyv's default serializer writes it. */
const SAMPLE = { value: { list: [1, 'two', null], text: 'three' }, expires: 4 };
const SAMPLE_TEXT = JSON.stringify(SAMPLE);

/**
 * Returns the parts of a Keyv that are not Keyv's defaults, and so make it store something else than JSON: encrypted
 * text, for example. An empty list means that its values can be read and written without it.
 */
export function ownFormatOf({ serialize, deserialize, compression, hooks }: Keyv): FormatPart[] {
  const isOwn: Readonly<Record<FormatPart, boolean>> = {
    serialize: !isDefaultSerialize(serialize),
    deserialize: !isDefaultDeserialize(deserialize),
    compression: compression !== undefined,
    // Keyv keeps an empty list after the last handler was removed.
    hooks: [...hooks.handlers.values()].some((handlers) => handlers.length > 0),
  };
  const parts: FormatPart[] = ['serialize', 'deserialize', 'compression', 'hooks'];
  return parts.filter((part) => isOwn[part]);
}

function isDefaultSerialize(serialize: Serialize): boolean {
  if (serialize === DEFAULTS.serialize) return true;
  return isNamesake(serialize, DEFAULTS.serialize) && serialize?.(SAMPLE) === SAMPLE_TEXT;
}

function isDefaultDeserialize(deserialize: Deserialize): boolean {
  if (deserialize === DEFAULTS.deserialize) return true;
  return isNamesake(deserialize, DEFAULTS.deserialize) && JSON.stringify(deserialize?.(SAMPLE_TEXT)) === SAMPLE_TEXT;
}

/** Returns true for a function of the same name: that of a second copy of Keyv is another function. */
function isNamesake(one: Serialize | Deserialize, other: Serialize | Deserialize): boolean {
  return one !== undefined && one.name === other?.name;
}
