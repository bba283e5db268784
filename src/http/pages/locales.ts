import type { Context } from 'koa';
import { locales } from '#files';
import { BoundedCache } from '../request/bounded-cache.ts';
import { Language } from './language.ts';
import { parseTexts, type Texts } from './view-folder.ts';

const DEFAULT = 'en';

/** The built-in texts, read once for all providers in this process. */
let builtIn: ReadonlyMap<string, Texts> | undefined;

/** The languages of the pages. */
export class Locales {
  /** The language for browsers that accept none of the others. */
  readonly fallback: Language;
  readonly #names: Readonly<Record<string, string>>;
  readonly #languages = new Map<string, Language>();
  readonly #tags: string[];
  /** The language that was chosen for each `Accept-Language` header. */
  readonly #accepted = new BoundedCache<Language>();

  /**
   * @param names the values for `{provider}` and `{site}` in every text
   * @param folders texts of the deployment. They replace built-in texts, or add a language.
   */
  constructor(names: Readonly<Record<string, string>>, folders: readonly ReadonlyMap<string, Texts>[]) {
    this.#names = names;
    builtIn ??= new Map(Object.entries(locales).map(([tag, content]) => [tag, parseTexts(`${tag}.json`, content)]));
    const all = [builtIn, ...folders];
    const textsOf = (tag: string): Texts => Object.assign({}, ...all.map((texts) => texts.get(tag)));
    this.fallback = new Language(DEFAULT, textsOf(DEFAULT), { names });
    // Languages without a region come first, because those with a region fall back on them.
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

  /** The built-in languages, without the texts and languages of the deployment. */
  get builtIn(): Locales {
    return new Locales(this.#names, []);
  }

  /**
   * Returns the language for a request: the first supported one of `preferred`, otherwise by `Accept-Language`.
   * @param preferred the `ui_locales` of the authorization request (OIDC Core, section 3.1.2.1)
   */
  choose(ctx: Context, preferred: readonly string[]): Language {
    // Some clients write `de_DE`, as POSIX does.
    for (const tag of preferred.map((wish) => wish.replaceAll('_', '-'))) {
      const language = this.#find(tag) ?? this.#inSomeRegion(tag);
      if (language !== undefined) return language;
    }
    return this.#accepted.getOrCompute(
      ctx.get('accept-language'),
      () => this.#find(ctx.acceptsLanguages(this.#tags) || DEFAULT) ?? this.fallback,
    );
  }

  /** Finds a language by the whole tag, or by its language alone, without region and script (BCP 47). */
  #find(tag: string): Language | undefined {
    const wanted = tag.toLowerCase();
    return this.#languages.get(wanted) ?? this.#languages.get(wanted.split('-')[0] ?? wanted);
  }

  /** Finds a language in any region: `pt` finds `pt-BR`. */
  #inSomeRegion(tag: string): Language | undefined {
    const wanted = `${tag.toLowerCase().split('-')[0]}-`;
    return [...this.#languages].find(([other]) => other.startsWith(wanted))?.[1];
  }
}
