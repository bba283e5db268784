import type { Eta } from 'eta/core';
import type { Context } from 'koa';
import { pagePolicy } from '../request/security-headers.ts';
import { type Assets, THEME } from './assets.ts';
import { capitalOf, initialsOf } from './initials.ts';
import type { Language } from './language.ts';
import type { Locales } from './locales.ts';
import type { PageStyle, Pages, PageTools } from './page-data.ts';
import { compressPart, compressParts, type Part, QUICK, SMALLEST } from './partly-compressed.ts';
import { hashSource, makeQrStyle } from './qr-style.ts';
import { SAMPLES } from './samples.ts';
import { makeTemplates } from './templates.ts';
import type { ViewFolder } from './view-folder.ts';

/** A code that the server has drawn, with nothing but numbers in it. */
const DRAWN_CODE = /<path stroke="#000" d="[Mmh\d .-]+"\/>/;

/** Page data must not have keys of {@link PageTools}, which would hide them. */
type NoTools = { readonly [Tool in keyof PageTools]?: never };

interface PageRendererOptions {
  readonly assets: Assets;
  readonly locales: Locales;
  /** The name by which users know the provider. */
  readonly provider: string;
  /**
   * The deployment's folders of views. They replace built-in files, and a later folder replaces files of an earlier
   * one.
   */
  readonly folders: readonly ViewFolder[];
}

/** Renders pages, from templates that escape by default and texts from the locale files. */
export class PageRenderer {
  readonly #options: PageRendererOptions;
  readonly #templates: Eta;
  readonly #assets: Assets;
  readonly #locales: Locales;
  readonly #provider: string;
  readonly #initial: string;
  readonly #theme: string | undefined;
  readonly #qrStyle: PageStyle;
  readonly #inlined: Part;
  /** The Content Security Policy of all pages. */
  readonly #policy: string;

  /** @throws TypeError if a template of the deployment is wrong; the message names the template or page */
  constructor(options: PageRendererOptions) {
    const { assets, locales, provider, folders } = options;
    this.#options = options;
    this.#templates = makeTemplates(folders.map(({ pages }) => pages));
    this.#assets = assets;
    this.#locales = locales;
    this.#provider = provider;
    this.#initial = capitalOf(provider);
    this.#theme = folders.some((folder) => folder.assets.has(THEME)) ? assets.url(THEME) : undefined;
    this.#qrStyle = makeQrStyle(assets, this.#theme);
    this.#inlined = compressPart(this.#qrStyle.css, SMALLEST);
    this.#policy = pagePolicy(hashSource(this.#qrStyle.css));
    if (folders.some(({ pages }) => pages.size > 0)) this.#tryOut();
  }

  /** @param preferred the languages that the RP asked for. They come before those of the browser. */
  render<Name extends keyof Pages>(
    ctx: Context,
    name: Name,
    page: Pages[Name] & NoTools,
    preferred: readonly string[] = [],
  ): void {
    this.renderOwn(ctx, name, page, preferred);
  }

  /** Renders a page of the deployment, with the built-in layout, languages and tools. */
  renderOwn(ctx: Context, name: string, page: object, preferred: readonly string[] = []): void {
    if (this.#templates.templatesSync.get(name) === undefined) {
      throw new TypeError(`there is no template ${name}.eta in your views`);
    }
    const language = this.languageOf(ctx, preferred);
    ctx.type = 'html';
    ctx.set('Content-Security-Policy', this.#policy);
    ctx.vary('Accept-Language');
    const html = this.#templates.render(name, { ...page, ...this.#tools(language) });
    const compressed = ctx.acceptsEncodings('gzip', 'identity') === 'gzip' ? this.#compress(html) : undefined;
    if (compressed) ctx.set('Content-Encoding', 'gzip');
    else ctx.remove('Content-Encoding');
    ctx.vary('Accept-Encoding');
    ctx.body = compressed ?? html;
  }

  /** Renders a page with the built-in template and texts alone, for the case that those of the deployment throw. */
  renderBuiltIn<Name extends keyof Pages>(
    ctx: Context,
    name: Name,
    page: Pages[Name] & NoTools,
    preferred: readonly string[] = [],
  ): void {
    const locales = this.#locales.builtIn;
    new PageRenderer({ ...this.#options, locales, folders: [] }).render(ctx, name, page, preferred);
  }

  languageOf(ctx: Context, preferred: readonly string[]): Language {
    return this.#locales.choose(ctx, preferred);
  }

  /** Compresses the style and the drawn code in a page. Neither contains anything of the request. */
  #compress(html: string): Buffer | undefined {
    const [drawn] = DRAWN_CODE.exec(html) ?? [];
    return compressParts(html, [this.#inlined, ...(drawn === undefined ? [] : [compressPart(drawn, QUICK)])]);
  }

  #tools({ tag, direction, t, ago, until, lasting, nameOf, place }: Language): PageTools {
    return {
      language: tag,
      direction,
      t,
      ago,
      until,
      lasting,
      nameOf,
      place,
      initials: initialsOf,
      asset: (name) => this.#assets.url(name),
      provider: this.#provider,
      initial: this.#initial,
      theme: this.#theme,
      qrStyle: this.#qrStyle,
    };
  }

  /**
   * Renders every page in every state, so that a template that throws stops the start of the server. Otherwise the
   * fault would show only when a user needs the page, perhaps the error page.
   */
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
