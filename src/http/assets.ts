import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Context } from 'koa';
import { QrLoginError } from '../ticket/errors.ts';
import type { Urls } from './urls.ts';

const PACKAGE = new URL('../../', import.meta.url);

/** Every file that a page may load, and where it lies in the package. */
const FILES: Readonly<Record<string, string>> = {
  'style.css': 'views/assets/style.css',
  'browser.js': 'dist/client/browser.js',
  'watch-ticket.js': 'dist/client/watch-ticket.js',
  'phone.js': 'dist/client/phone.js',
  'passkey.js': 'dist/client/passkey.js',
  'scan.js': 'dist/client/scan.js',
  'camera.js': 'dist/client/camera.js',
  'read-code.js': 'dist/client/read-code.js',
  'decoder.js': 'dist/decoder/decoder.js',
  'decoder-tables.js': 'dist/decoder/decoder-tables.js',
  'icon.svg': 'views/assets/icon.svg',
  'icon-180.png': 'views/assets/icon-180.png',
  'icon-192.png': 'views/assets/icon-192.png',
  'icon-512.png': 'views/assets/icon-512.png',
};

/** The pages' scripts and style, held in memory; a version in their URL lets browsers keep them for good. */
export class Assets {
  readonly #urls: Urls;
  readonly #files: ReadonlyMap<string, { content: Buffer; version: string }>;

  constructor(urls: Urls) {
    this.#urls = urls;
    this.#files = new Map(
      Object.entries(FILES).map(([name, path]) => {
        const content = readFileSync(new URL(path, PACKAGE));
        return [name, { content, version: createHash('sha256').update(content).digest('base64url').slice(0, 12) }];
      }),
    );
  }

  url(name: string): string {
    const file = this.#files.get(name);
    if (file === undefined) throw new TypeError(`there is no asset "${name}"`);
    return this.#urls.asset(name, file.version);
  }

  serve(ctx: Context, name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) throw new QrLoginError('not_found', 'There is no such file.');
    // A script imports another one by its plain name: that is asked for again after each release.
    const versioned = ctx.query.v === file.version;
    ctx.set('Cache-Control', versioned ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('ETag', `"${file.version}"`);
    ctx.type = extname(name);
    ctx.body = file.content;
    if (ctx.fresh) ctx.status = 304;
  }
}
