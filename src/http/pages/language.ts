import type { Duration } from '../../ticket/browsers/duration.ts';
import type { Place } from '../../ticket/ticket.ts';
import type { Translate, Values } from '../hooks/translate.ts';
import type { Text, Texts } from './view-folder.ts';

/** The data from which a browser gets the name that is shown. */
export interface NamedBrowser {
  /** The name that its user has given it. */
  readonly label?: string;
  readonly name?: string;
  readonly system?: string;
}

interface LanguageOptions {
  /** The values for `{provider}` and `{site}` in every text. */
  readonly names: Values;
  /** The language for texts that this one does not have. */
  readonly fallback?: Language;
}

interface Formats {
  readonly numbers: Intl.NumberFormat;
  readonly plurals: Intl.PluralRules;
  readonly ago: Intl.RelativeTimeFormat;
  readonly regions: Intl.DisplayNames;
}

/** The scripts that are written from right to left (ISO 15924), and their letters. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['Arab', 'Hebr', 'Syrc', 'Thaa', 'Nkoo', 'Adlm', 'Rohg']);
const LETTERS =
  /[\p{Script=Arab}\p{Script=Hebr}\p{Script=Syrc}\p{Script=Thaa}\p{Script=Nkoo}\p{Script=Adlm}\p{Script=Rohg}]/u;

const SECOND = ['second', 1] as const;
const DAY = ['day', 86_400] as const;

/** The units of time with their lengths in seconds, the longest first. */
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  DAY,
  ['hour', 3_600],
  ['minute', 60],
  SECOND,
];

function unitOf(seconds: number, units: typeof UNITS = UNITS): (typeof UNITS)[number] {
  return units.find(([, length]) => seconds >= length) ?? SECOND;
}

/** One language: its texts, and its format of numbers, times and places. */
export class Language {
  readonly tag: string;
  readonly direction: 'ltr' | 'rtl';
  readonly #texts: Texts;
  readonly #options: LanguageOptions;
  #intl: Formats | undefined;

  constructor(tag: string, texts: Texts, options: LanguageOptions) {
    this.tag = tag;
    this.#texts = texts;
    this.#options = options;
    this.direction = RIGHT_TO_LEFT.has(new Intl.Locale(tag).maximize().script ?? '') ? 'rtl' : 'ltr';
  }

  readonly t: Translate = (key, values = {}) => {
    const text = Object.hasOwn(this.#texts, key) ? this.#texts[key] : undefined;
    if (text !== undefined) return this.#fill(this.#selectForm(text, values), values);
    const { fallback } = this.#options;
    if (fallback !== undefined) return fallback.t(key, values);
    // A deployment may name scopes and claims freely. Show the name if there is no text for it.
    const [kind, ...name] = key.split('.');
    if (kind === 'scope' || kind === 'claim') return name.join('.');
    throw new TypeError(`there is no text "${key}" in ${this.tag}.json`);
  };

  /** Returns an elapsed time in the largest fitting unit: "3 minutes ago". */
  readonly ago = (seconds: number): string => {
    const [unit, length] = unitOf(seconds);
    return this.#formats.ago.format(-Math.floor(seconds / length), unit);
  };

  /** Returns the time that is left, at most in days: "in 13 days" says more than "next week". */
  readonly until = (seconds: number): string => {
    const [unit, length] = unitOf(seconds, UNITS.slice(UNITS.indexOf(DAY)));
    return this.#formats.ago.format(Math.floor(seconds / length), unit);
  };

  /** Returns a duration in the unit in which it is offered: "8 hours", "until the browser is closed". */
  readonly lasting = (duration: Duration): string => {
    if (duration === 'session') return this.t('duration.session');
    const unit = duration.endsWith('d') ? 'day' : 'hour';
    const count = Number.parseInt(duration, 10);
    return new Intl.NumberFormat(this.tag, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
  };

  /** Returns the name of a browser: the one that its user gave it, or what it claims to be, "Firefox on Windows". */
  readonly nameOf = ({ label, name, system }: NamedBrowser): string => {
    if (label !== undefined) return label;
    if (name !== undefined && system !== undefined) return this.t('browser', { name, system });
    return name ?? system ?? this.t('browser.unknown');
  };

  /** Returns the name of a place to display: "Berlin, Germany"; '' if nothing is known. */
  readonly place = ({ city, country }: Place = {}): string => {
    const region = country && this.#formats.regions.of(country);
    return city && region ? this.t('place', { city, region }) : (city ?? region ?? '');
  };

  /** The formats, made on first use: most processes serve few languages. */
  get #formats(): Formats {
    this.#intl ??= {
      numbers: new Intl.NumberFormat(this.tag),
      plurals: new Intl.PluralRules(this.tag),
      ago: new Intl.RelativeTimeFormat(this.tag, { numeric: 'auto' }),
      regions: new Intl.DisplayNames(this.tag, { type: 'region' }),
    };
    return this.#intl;
  }

  #selectForm(text: Text, { count }: Values): string {
    if (typeof text === 'string') return text;
    return text[this.#formats.plurals.select(Number(count))] ?? text.other;
  }

  #fill(text: string, values: Values): string {
    // Skip the regular expression: most texts have no placeholder.
    if (!text.includes('{')) return text;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name] ?? this.#options.names[name] ?? whole;
      return typeof value === 'number' ? this.#formats.numbers.format(value) : this.#isolate(value);
    });
  }

  /**
   * Isolates a value, so that a name in a right-to-left script does not reorder the sentence (Unicode Standard Annex
   * 9).
   */
  #isolate(value: string): string {
    return this.direction === 'rtl' || LETTERS.test(value) ? `\u2068${value}\u2069` : value;
  }
}
