import { fileURLToPath } from 'node:url';
import type { Context } from 'koa';
import { BoundedCache } from '../request/bounded-cache.ts';
import { Language } from './language.ts';
import { readViewFolder, type Texts } from './view-folder.ts';

const VIEWS = fileURLToPath(new URL('../../../views', import.meta.url));
const DEFAULT = 'en';

/** Ours are read once, however many providers there are in this process. */
let ours: ReadonlyMap<string, Texts> | undefined;

/** The languages that the pages speak. */
export class Locales {
  /** The one for whoever understands none of the others. */
  readonly fallback: Language;
  readonly #languages = new Map<string, Language>();
  readonly #tags: string[];
  /** By `Accept-Language`. */
  readonly #accepted = new BoundedCache<Language>();

  /**
   * @param names what stands for `{provider}` and `{site}` in every text
   * @param others texts of the deployment: they take the place of ours, or make a language of their own
   */
  constructor(names: Readonly<Record<string, string>>, others: readonly ReadonlyMap<string, Texts>[]) {
    ours ??= readViewFolder(VIEWS).locales;
    const all = [ours, ...others];
    const textsOf = (tag: string): Texts => Object.assign({}, ...all.map((texts) => texts.get(tag)));
    this.fallback = new Language(DEFAULT, textsOf(DEFAULT), { names });
    // Those without a region first: the others fall back on them.
    const tags = [...new Set(all.flatMap((texts) => [...texts.keys()]))].sort(
      (one, other) => one.length - other.length,
    );
    this.#tags = [DEFAULT, ...tags.filter((tag) => tag !== DEFAULT)];
    for (const tag of this.#tags) {
      const fallback = this.#find(tag) ?? this.fallback;
      const language = tag === DEFAULT ? this.fallback : new Language(tag, textsOf(tag), { names, fallback });
      this.#languages.set(tag.toLowerCase(), language);
    }
  }

  /** `ui_locales` first (OIDC Core, section 3.1.2.1), then `Accept-Language`. */
  choose(ctx: Context, preferred: readonly string[]): Language {
    for (const tag of preferred) {
      const language = this.#find(tag) ?? this.#inSomeRegion(tag);
      if (language !== undefined) return language;
    }
    return this.#accepted.getOrCompute(
      ctx.get('accept-language'),
      () => this.#find(ctx.acceptsLanguages(this.#tags) || DEFAULT) ?? this.fallback,
    );
  }

  /** By the whole tag, or by the language alone, without region and script (BCP 47). */
  #find(tag: string): Language | undefined {
    const wanted = tag.toLowerCase();
    return this.#languages.get(wanted) ?? this.#languages.get(wanted.split('-')[0] ?? wanted);
  }

  /** Portuguese will do as it is written in Brazil. */
  #inSomeRegion(tag: string): Language | undefined {
    const wanted = `${tag.toLowerCase().split('-')[0]}-`;
    return [...this.#languages].find(([other]) => other.startsWith(wanted))?.[1];
  }
}
