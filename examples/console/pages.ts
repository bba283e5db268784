/** Renders the pages of the console. They have the design tokens of the plugin's pages, and a style sheet of their own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Context } from 'koa';
import type { Visit } from './sign-in.ts';

const eta = new Eta({ views: fileURLToPath(new URL('pages', import.meta.url)), cache: true });

const PROTECTION = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

const TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

/** The files that the pages load, by their paths below the console. */
export const FILES: Readonly<Record<string, { readonly type: string; readonly content: Buffer }>> = {
  '/style.css': { type: 'css', content: read('../../views/assets/style.css') },
  '/console.css': { type: 'css', content: read('console.css') },
  '/counts.js': { type: 'js', content: read('../client/console-counts.js') },
};

function read(path: string): Buffer {
  return readFileSync(new URL(path, import.meta.url));
}

/** The data that each page needs. */
export interface Frame {
  /** The path of the console. */
  readonly base: string;
  /** The visit of the operator; undefined on a page for others. */
  readonly visit?: Visit | undefined;
}

export function renderPage(ctx: Context, name: string, page: Frame & Readonly<Record<string, unknown>>): void {
  ctx.set(PROTECTION);
  ctx.type = 'html';
  ctx.body = eta.render(name, { ...page, time: (at: number | string) => `${TIME.format(new Date(at))} UTC` });
}

/** One page of a list. */
export interface Shown<Entry> {
  readonly entries: readonly Entry[];
  readonly page: number;
  readonly pages: number;
  readonly total: number;
}

/** Returns one page of a list. @param asked the number of the page, from 1, as the address has it */
export function pageOf<Entry>(list: readonly Entry[], asked: unknown, size: number): Shown<Entry> {
  const pages = Math.max(1, Math.ceil(list.length / size));
  const page = Math.min(pages, Math.max(1, Math.floor(Number(asked)) || 1));
  return { entries: list.slice((page - 1) * size, page * size), page, pages, total: list.length };
}
