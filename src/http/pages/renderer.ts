import type { Eta } from 'eta/core';
import type { Context } from 'koa';
import type { Assets } from './assets.ts';
import type { Language } from './language.ts';
import type { Locales } from './locales.ts';
import type { Pages, PageTools } from './page-data.ts';
import { SAMPLES } from './samples.ts';
import { templatesWith } from './templates.ts';
import type { ViewFolder } from './view-folder.ts';

/** A style sheet of this name in a deployment's folder is loaded by every page. */
const THEME = 'theme.css';

/** What a template is given must not hide behind what every template has. */
type NoTools = { readonly [Tool in keyof PageTools]?: never };

interface ViewsOptions {
  readonly assets: Assets;
  readonly locales: Locales;
  /** What people know the provider as. */
  readonly provider: string;
  /** What the deployment has put in the place of ours; of two, the later one wins. */
  readonly folders: readonly ViewFolder[];
}

/** The pages: templates that escape by themselves, texts from the locale files. */
export class Views {
  readonly #templates: Eta;
  readonly #assets: Assets;
  readonly #locales: Locales;
  readonly #provider: string;
  readonly #theme: string | undefined;

  /** @throws TypeError that says which template of the deployment's is wrong */
  constructor({ assets, locales, provider, folders }: ViewsOptions) {
    this.#templates = templatesWith(folders.map(({ pages }) => pages));
    this.#assets = assets;
    this.#locales = locales;
    this.#provider = provider;
    this.#theme = folders.some((folder) => folder.assets.has(THEME)) ? assets.url(THEME) : undefined;
    if (folders.some(({ pages }) => pages.size > 0)) this.#tryOut();
  }

  /** @param preferred the languages that the RP asked for, before those of the browser */
  render<Name extends keyof Pages>(
    ctx: Context,
    name: Name,
    page: Pages[Name] & NoTools,
    preferred: readonly string[] = [],
  ): void {
    this.renderOwn(ctx, name, page, preferred);
  }

  /** A page of the deployment's, with our layout, languages and tools. */
  renderOwn(ctx: Context, name: string, page: object, preferred: readonly string[] = []): void {
    if (this.#templates.templatesSync.get(name) === undefined) {
      throw new TypeError(`there is no template ${name}.eta in your views`);
    }
    const language = this.languageOf(ctx, preferred);
    ctx.type = 'html';
    ctx.vary('Accept-Language');
    ctx.body = this.#templates.render(name, { ...page, ...this.#tools(language) });
  }

  languageOf(ctx: Context, preferred: readonly string[]): Language {
    return this.#locales.choose(ctx, preferred);
  }

  #tools({ tag, direction, t, ago, nameOf, place }: Language): PageTools {
    return {
      language: tag,
      direction,
      t,
      ago,
      nameOf,
      place,
      asset: (name) => this.#assets.url(name),
      provider: this.#provider,
      theme: this.#theme,
    };
  }

  /** A template that throws is found when the server starts, and not by the person who is to be shown an error. */
  #tryOut(): void {
    const tools = this.#tools(this.#locales.fallback);
    for (const [name, samples] of Object.entries(SAMPLES)) {
      for (const sample of Object.values(samples)) {
        try {
          this.#templates.render(name, { ...sample, ...tools });
        } catch (cause) {
          const problem = cause instanceof Error ? cause.message : cause;
          throw new TypeError(`the page "${name}" cannot be rendered with your templates: ${problem}`, { cause });
        }
      }
    }
  }
}
