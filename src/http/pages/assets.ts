import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Context } from 'koa';
import { pictures, texts } from '#files';
import { QrLoginError } from '../../ticket/errors.ts';
import { protectFile } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';

/** The supported encodings, the better one first. */
const ENCODINGS = { br: promisify(brotliCompress), gzip: promisify(gzip) } as const;
type Encoding = keyof typeof ENCODINGS;
const ENCODING_NAMES: readonly Encoding[] = ['br', 'gzip'];
/** The name of our style sheet. Every page loads it, and then the deployment's theme. */
export const STYLE = 'style.css';
export const THEME = 'theme.css';
/** The name of the service worker that shows notifications. */
const WORKER = 'push-worker.js';
/** The names of a deployment's picture in the middle of its codes. The first file that exists is used. */
const CODE_MARKS = ['code-mark.svg', 'code-mark.png'];
/** A relative address in a style sheet, which names a file in the same folder. */
const RELATIVE_URL = /url\(\s*(["']?)(?:\.\/)?([\w.-]+)([?#][^"')\s]*)?\1\s*\)/g;
/** The files that are worth compressing. Pictures are compressed already. */
const TEXT = /\.(css|js|svg|txt|json|webmanifest)$/;

/** One file, and its compressed forms, which are made on first use. */
class Asset {
  readonly content: Buffer;
  readonly version: string;
  readonly #compressed = new Map<Encoding, Promise<Buffer>>();

  constructor(content: Buffer) {
    this.content = content;
    this.version = createHash('sha256').update(content).digest('base64url').slice(0, 12);
  }

  compress(encoding: Encoding): Promise<Buffer> {
    const compressed = this.#compressed.get(encoding) ?? ENCODINGS[encoding](this.content);
    this.#compressed.set(encoding, compressed);
    return compressed;
  }
}

/** The built-in files, decoded and compressed once for all providers in this process. */
let builtIn: ReadonlyMap<string, Asset> | undefined;

/**
 * The pages' scripts, styles and pictures, held in memory. Their URLs contain a version, so that browsers can cache
 * them for a year. They contain no secret and may be compressed, unlike the pages (BREACH).
 */
export class Assets {
  readonly #urls: Urls;
  readonly #assets: ReadonlyMap<string, Asset>;

  /** @param folders files of the deployment, by name. A file replaces the built-in file of the same name. */
  constructor(urls: Urls, folders: readonly ReadonlyMap<string, Buffer>[] = []) {
    this.#urls = urls;
    builtIn ??= new Map([...assetsIn(texts, 'utf8'), ...assetsIn(pictures, 'base64')]);
    const own = folders.flatMap((files) => [...files]).map(([name, content]) => [name, new Asset(content)] as const);
    const all = new Map([...builtIn, ...own]);
    const theme = all.get(THEME);
    // A page may contain the theme in its HTML, where relative addresses would lead elsewhere.
    if (theme !== undefined) all.set(THEME, new Asset(Buffer.from(withAbsoluteUrls(`${theme.content}`, all, urls))));
    this.#assets = all;
  }

  /** Returns the URL of the picture in the middle of each code, if the deployment has one. */
  get codeMark(): string | undefined {
    const name = CODE_MARKS.find((one) => this.#assets.has(one));
    return name === undefined ? undefined : this.url(name);
  }

  /** Returns true if the deployment has not replaced this file of ours. */
  isBuiltIn(name: string): boolean {
    return this.#assets.get(name) === builtIn?.get(name);
  }

  /** Returns the content of a text file. */
  text(name: string): string {
    return `${this.#find(name).content}`;
  }

  url(name: string): string {
    return this.#urls.asset(name, this.#find(name).version);
  }

  async serve(ctx: Context, name: string): Promise<void> {
    const asset = this.#assets.get(name);
    if (asset === undefined) throw new QrLoginError('not_found', 'There is no such file.');
    protectFile(ctx);
    // The script lies below the assets, and its scope is all pages of the phone (Service Workers, section 4.4.2).
    if (name === WORKER) ctx.set('Service-Worker-Allowed', `${this.#urls.phone}/`);
    // Scripts import each other by the plain name, without a version: such requests must be revalidated.
    const versioned = ctx.query.v === asset.version;
    const encoding = TEXT.test(name) ? encodingFor(ctx) : undefined;
    ctx.set('Cache-Control', versioned ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('ETag', `"${asset.version}${encoding ? `-${encoding}` : ''}"`);
    ctx.vary('Accept-Encoding');
    ctx.type = extname(name);
    if (encoding) ctx.set('Content-Encoding', encoding);
    ctx.body = encoding ? await asset.compress(encoding) : asset.content;
    if (ctx.fresh) ctx.status = 304;
  }

  #find(name: string): Asset {
    const asset = this.#assets.get(name);
    if (asset === undefined) throw new TypeError(`there is no asset "${name}"`);
    return asset;
  }
}

/** Replaces the names of assets in `url(…)` by their URLs, which have a version, so that browsers cache the files. */
function withAbsoluteUrls(css: string, assets: ReadonlyMap<string, Asset>, urls: Urls): string {
  return css.replace(RELATIVE_URL, (whole, _quote, name: string, tail = '') => {
    const asset = assets.get(name);
    // Keep a fragment, which names a part of a picture. A query is dropped, because the version takes its place.
    const fragment = /#.*/.exec(tail)?.[0] ?? '';
    return asset === undefined || name === THEME ? whole : `url("${urls.asset(name, asset.version)}${fragment}")`;
  });
}

function assetsIn(files: Readonly<Record<string, string>>, encoding: BufferEncoding): [string, Asset][] {
  return Object.entries(files).map(([name, content]) => [name, new Asset(Buffer.from(content, encoding))]);
}

/** Returns the best encoding that the client accepts. Browsers give all of them the same weight. */
function encodingFor(ctx: Context): Encoding | undefined {
  return ENCODING_NAMES.find((encoding) => ctx.acceptsEncodings(encoding) === encoding);
}
