import type { Place } from '../ticket/ticket.ts';
import type { Text, Texts } from './view-folder.ts';

/** What stands for `{name}` in a text; `count` also decides which plural it is. */
export type Values = Readonly<Record<string, string | number>>;

/** A text by its key. A key that is unknown is a bug, except under `scope.` and `claim.`. */
export type Translate = (key: string, values?: Values) => string;

interface Around {
  readonly names: Values;
  /** Where a text is taken from that this language does not have. */
  readonly fallback?: Language;
}

interface Formats {
  readonly numbers: Intl.NumberFormat;
  readonly plurals: Intl.PluralRules;
  readonly ago: Intl.RelativeTimeFormat;
  readonly days: Intl.DateTimeFormat;
  readonly regions: Intl.DisplayNames;
}

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** One language: its texts, and how it writes numbers, times and places. */
export class Language {
  readonly tag: string;
  readonly direction: 'ltr' | 'rtl';
  readonly #texts: Texts;
  readonly #around: Around;
  #intl: Formats | undefined;

  constructor(tag: string, texts: Texts, around: Around) {
    this.tag = tag;
    this.#texts = texts;
    this.#around = around;
    this.direction = this.t('direction') === 'rtl' ? 'rtl' : 'ltr';
  }

  readonly t: Translate = (key, values = {}) => {
    const text = this.#texts[key];
    if (text !== undefined) return this.#fill(this.#form(text, values), values);
    const { fallback } = this.#around;
    if (fallback !== undefined) return fallback.t(key, values);
    // Scopes and claims have any name a deployment likes: what has no text is shown as it is.
    const [kind, ...name] = key.split('.');
    if (kind === 'scope' || kind === 'claim') return name.join('.');
    throw new TypeError(`there is no text "${key}" in ${this.tag}.json`);
  };

  /** How long ago something was, roughly: "3 minutes ago". */
  readonly ago = (seconds: number): string => {
    const { ago } = this.#formats;
    if (seconds < MINUTE) return ago.format(-Math.floor(seconds), 'second');
    if (seconds < HOUR) return ago.format(-Math.floor(seconds / MINUTE), 'minute');
    if (seconds < DAY) return ago.format(-Math.floor(seconds / HOUR), 'hour');
    return ago.format(-Math.floor(seconds / DAY), 'day');
  };

  /** The day of a moment, in milliseconds since the epoch: "21 November 2026". */
  readonly day = (moment: number): string => this.#formats.days.format(moment);

  /** A place for people; '' where nothing is known. */
  readonly place = ({ city, country }: Place = {}): string => {
    const region = country && this.#formats.regions.of(country);
    return city && region ? this.t('place', { city, region }) : (city ?? region ?? '');
  };

  /** Made when they are needed: most processes meet few languages. */
  get #formats(): Formats {
    this.#intl ??= {
      numbers: new Intl.NumberFormat(this.tag),
      plurals: new Intl.PluralRules(this.tag),
      ago: new Intl.RelativeTimeFormat(this.tag, { numeric: 'auto' }),
      days: new Intl.DateTimeFormat(this.tag, { dateStyle: 'long' }),
      regions: new Intl.DisplayNames(this.tag, { type: 'region' }),
    };
    return this.#intl;
  }

  #form(text: Text, { count }: Values): string {
    if (typeof text === 'string') return text;
    return text[this.#formats.plurals.select(Number(count))] ?? text.other;
  }

  #fill(text: string, values: Values): string {
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name] ?? this.#around.names[name] ?? whole;
      return typeof value === 'number' ? this.#formats.numbers.format(value) : this.#isolated(value);
    });
  }

  /** A name that is written the other way round must not turn the sentence around it (Unicode Standard Annex 9). */
  #isolated(value: string): string {
    return this.direction === 'rtl' || RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value;
  }
}
