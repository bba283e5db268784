import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Context } from 'koa';

const FOLDER = new URL('../../views/locales/', import.meta.url);
const DEFAULT = 'en';

/** A text by its key, with `{name}` replaced. A key that is unknown is a bug, except under `scope.` and `claim.`. */
export type Translate = (key: string, values?: Readonly<Record<string, string | number>>) => string;

type Texts = Readonly<Record<string, string>>;

/** Every text that people read, one JSON file a language. */
export class Locales {
  readonly #texts: ReadonlyMap<string, Texts>;

  constructor() {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
    this.#texts = new Map(
      files.map((file) => [basename(file, '.json'), JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Texts]),
    );
  }

  /** `ui_locales` first (OIDC Core, section 3.1.2.1), then `Accept-Language`. */
  choose(ctx: Context, preferred: readonly string[]): { language: string; translate: Translate } {
    const language = preferred.map(primary).find((tag) => this.#texts.has(tag)) ?? this.#accepted(ctx);
    return { language, translate: (key, values) => fill(this.#text(language, key), values) };
  }

  #accepted(ctx: Context): string {
    const languages = [DEFAULT, ...[...this.#texts.keys()].filter((tag) => tag !== DEFAULT)];
    return ctx.acceptsLanguages(languages) || DEFAULT;
  }

  #text(language: string, key: string): string {
    const text = this.#texts.get(language)?.[key];
    if (text !== undefined) return text;
    // Scopes and claims have any name a deployment likes: what has no text is shown as it is.
    const [kind, ...name] = key.split('.');
    if (kind === 'scope' || kind === 'claim') return name.join('.');
    throw new TypeError(`there is no text "${key}" in ${language}.json`);
  }
}

/** The language of a tag without its region and script (BCP 47). */
function primary(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? tag;
}

function fill(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => `${values[name] ?? whole}`);
}
