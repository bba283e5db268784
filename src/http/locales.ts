import { fileURLToPath } from 'node:url';
import type { Context } from 'koa';
import { Language } from './language.ts';
import { readViewFolder, type Texts } from './view-folder.ts';

const VIEWS = fileURLToPath(new URL('../../views', import.meta.url));
const DEFAULT = 'en';

/** Ours are read once, however many providers there are in this process. */
let ours: ReadonlyMap<string, Texts> | undefined;

/** The languages that the pages speak. */
export class Locales {
  /** The one for whoever understands none of the others. */
  readonly fallback: Language;
  readonly #languages: ReadonlyMap<string, Language>;
  readonly #tags: string[];

  /**
   * @param names what stands for `{provider}` and `{site}` in every text
   * @param others texts of the deployment: they take the place of ours, or make a language of their own
   */
  constructor(names: Readonly<Record<string, string>>, others: readonly ReadonlyMap<string, Texts>[]) {
    ours ??= readViewFolder(VIEWS).locales;
    const all = [ours, ...others];
    const textsOf = (tag: string): Texts => Object.assign({}, ...all.map((texts) => texts.get(tag)));
    const fallback = new Language(DEFAULT, textsOf(DEFAULT), { names });
    this.fallback = fallback;
    const tags = [...new Set(all.flatMap((texts) => [...texts.keys()]))].filter((tag) => tag !== DEFAULT);
    this.#tags = [DEFAULT, ...tags];
    this.#languages = new Map([
      [DEFAULT, fallback],
      ...tags.map((tag): [string, Language] => [
        tag.toLowerCase(),
        new Language(tag, textsOf(tag), { names, fallback }),
      ]),
    ]);
  }

  /** `ui_locales` first (OIDC Core, section 3.1.2.1), then `Accept-Language`. */
  choose(ctx: Context, preferred: readonly string[]): Language {
    for (const tag of preferred) {
      const language = this.#find(tag);
      if (language !== undefined) return language;
    }
    return this.#find(ctx.acceptsLanguages(this.#tags) || DEFAULT) ?? this.fallback;
  }

  /** By the whole tag, or by the language alone, without region and script (BCP 47). */
  #find(tag: string): Language | undefined {
    const wanted = tag.toLowerCase();
    return this.#languages.get(wanted) ?? this.#languages.get(wanted.split('-')[0] ?? wanted);
  }
}
