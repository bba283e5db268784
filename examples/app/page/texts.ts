/** The texts of the app in the language of the device, and the formats of times and places. */

export type Values = Readonly<Record<string, string | number>>;
/** A text, or its plural forms by category (Unicode CLDR). */
type Text = string | ({ readonly other: string } & Readonly<Record<string, string>>);
export type TextTable = Readonly<Record<string, Text>>;

/** The languages that the app has texts in. The first one is for devices that want none of the others. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'zh', 'ja', 'ar'] as const;
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar']);

/** Letters that are written from right to left, and characters that change the direction. */
const REORDERING = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

const SECOND = ['second', 1] as const;
/** The units of time with their lengths in seconds, the longest first. */
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  SECOND,
];

/** Returns the first of these languages that the app has, whatever its region (BCP 47). */
export function chooseLanguage(preferred: readonly string[]): string {
  const languages: readonly string[] = LANGUAGES;
  const wanted = preferred.map((tag) => tag.split('-')[0] ?? tag);
  return wanted.find((tag) => languages.includes(tag)) ?? LANGUAGES[0];
}

export class Texts {
  readonly tag: string;
  readonly direction: 'ltr' | 'rtl';
  readonly #table: TextTable;
  readonly #names: Values;
  readonly #plurals: Intl.PluralRules;
  readonly #numbers: Intl.NumberFormat;
  readonly #ago: Intl.RelativeTimeFormat;
  readonly #regions: Intl.DisplayNames;

  /** @param names the values for `{provider}` and `{site}` in every text */
  constructor(tag: string, table: TextTable, names: Values) {
    this.tag = tag;
    this.direction = RIGHT_TO_LEFT.has(tag) ? 'rtl' : 'ltr';
    this.#table = table;
    this.#names = names;
    this.#plurals = new Intl.PluralRules(tag);
    this.#numbers = new Intl.NumberFormat(tag);
    this.#ago = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
    this.#regions = new Intl.DisplayNames(tag, { type: 'region' });
  }

  /** Loads the texts of a language. @throws TypeError without a connection, if the service worker has no copy */
  static async load(tag: string, names: Values): Promise<Texts> {
    const answer = await fetch(`/texts/${tag}.json`);
    return new Texts(tag, await answer.json(), names);
  }

  readonly has = (key: string): boolean => Object.hasOwn(this.#table, key);

  /** Returns a text with its values filled in. Every language has every text; scopes and claims may have none. */
  readonly t = (key: string, values: Values = {}): string => {
    const text = this.#table[key];
    if (text === undefined) return key.replace(/^(scope|claim)\./, '');
    const form = typeof text === 'string' ? text : (text[this.#plurals.select(Number(values.count))] ?? text.other);
    return form.replace(/\{(\w+)\}/g, (whole, place: string) => {
      const value = values[place] ?? this.#names[place] ?? whole;
      return typeof value === 'number' ? this.#numbers.format(value) : this.#isolate(value);
    });
  };

  /** Isolates a name, so that one in another script does not reorder the sentence (Unicode Standard Annex 9). */
  #isolate(value: string): string {
    return this.direction === 'rtl' || REORDERING.test(value) ? `\u2068${value}\u2069` : value;
  }

  /** Returns an elapsed time in the largest fitting unit: "3 minutes ago". */
  readonly ago = (seconds: number): string => {
    const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? SECOND;
    return this.#ago.format(-Math.floor(seconds / length), unit);
  };

  /** Returns the name of a browser: "Firefox on Windows". */
  readonly browserName = ({ name, system }: { readonly name?: string; readonly system?: string }): string => {
    if (name !== undefined && system !== undefined) return this.t('browser', { name, system });
    return name ?? system ?? this.t('browser.unknown');
  };

  /** Returns the name of a place: "Berlin, Germany"; '' if nothing is known. */
  readonly placeName = ({ city, country }: { readonly city?: string; readonly country?: string } = {}): string => {
    const region = country && this.#regions.of(country);
    return city && region ? this.t('place', { city, region }) : (city ?? region ?? '');
  };
}
