/** Translates the texts of requests for an approval, which are written before a page is rendered. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Context } from 'koa';

const FOLDER = new URL('views/locales/', import.meta.url);
/** The texts by language. English is first, so it answers browsers that prefer none of these. */
const LOCALES = new Map(
  ['en.json', ...readdirSync(FOLDER)].map((file): [string, Record<string, string>] => [
    file.replace('.json', ''),
    JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')),
  ]),
);

/** Returns a text in the language that the browser prefers. */
export function textIn(ctx: Context, key: string, values: Record<string, string> = {}): string {
  const language = ctx.acceptsLanguages([...LOCALES.keys()]) || 'en';
  const text = LOCALES.get(language)?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? '');
}
