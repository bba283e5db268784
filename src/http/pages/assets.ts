import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Urls } from '../request/urls.ts';

const PACKAGE = new URL('../../../', import.meta.url);

/** Every file of ours that a page may load, and where it lies in the package. */
const FILES: Readonly<Record<string, string>> = {
  'style.css': 'dist/style.css',
  'browser.js': 'dist/client/browser.js',
  'watch-ticket.js': 'dist/client/watch-ticket.js',
  'phone.js': 'dist/client/phone.js',
  'passkey.js': 'dist/client/passkey.js',
  'scan.js': 'dist/client/scan.js',
  'camera.js': 'dist/client/camera.js',
  'read-code.js': 'dist/client/read-code.js',
  'draw-code.js': 'dist/client/draw-code.js',
  'decoder.js': 'dist/decoder/decoder.js',
  'encoder.js': 'dist/decoder/encoder.js',
  'icon.svg': 'views/assets/icon.svg',
  'icon-180.png': 'views/assets/icon-180.png',
  'icon-192.png': 'views/assets/icon-192.png',
  'icon-512.png': 'views/assets/icon-512.png',
};

/** The better one first. */
const ENCODINGS = { br: promisify(brotliCompress), gzip: promisify(gzip) } as const;
type Encoding = keyof typeof ENCODINGS;
/** What is worth compressing; pictures are compressed already. */
const TEXT = /\.(css|js|svg|txt|json|webmanifest)$/;

/** One file, as it is and compressed, once it has been asked for. */
class Asset {
  readonly content: Buffer;
  readonly version: string;
  readonly #compressed = new Map<Encoding, Promise<Buffer>>();

  constructor(content: Buffer) {
    this.content = content;
    this.version = createHash('sha256').update(content).digest('base64url').slice(0, 12);
  }

  in(encoding: Encoding): Promise<Buffer> {
    const compressed = this.#compressed.get(encoding) ?? ENCODINGS[encoding](this.content);
    this.#compressed.set(encoding, compressed);
    return compressed;
  }
}

/** Read and compressed once, however many providers there are in this process. */
let ours: ReadonlyMap<string, Asset> | undefined;

/**
 * The pages' scripts, styles and pictures, held in memory; a version in their URL lets browsers keep them for good. They hold no
 * secret and may be compressed, unlike the pages (BREACH).
 */
export class Assets {
  readonly #urls: Urls;
  readonly #assets: ReadonlyMap<string, Asset>;

  /** @param others files of the deployment, by their names: those of the same name take the place of ours */
  constructor(urls: Urls, others: readonly ReadonlyMap<string, Buffer>[] = []) {
    this.#urls = urls;
    ours ??= new Map(
      Object.entries(FILES).map(([name, path]) => [name, new Asset(readFileSync(new URL(path, PACKAGE)))]),
    );
    const theirs = others.flatMap((files) => [...files]).map(([name, content]) => [name, new Asset(content)] as const);
    this.#assets = new Map([...ours, ...theirs]);
  }

  url(name: string): string {
    const asset = this.#assets.get(name);
    if (asset === undefined) throw new TypeError(`there is no asset "${name}"`);
    return this.#urls.asset(name, asset.version);
  }

  async serve(ctx: Context, name: string): Promise<void> {
    const asset = this.#assets.get(name);
    if (asset === undefined) throw new QrLoginError('not_found', 'There is no such file.');
    // A script imports another one by its plain name: that is asked for again after each release.
    const versioned = ctx.query.v === asset.version;
    const encoding = TEXT.test(name) ? encodingFor(ctx) : undefined;
    ctx.set('Cache-Control', versioned ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('ETag', `"${asset.version}${encoding ? `-${encoding}` : ''}"`);
    ctx.vary('Accept-Encoding');
    ctx.type = extname(name);
    if (encoding) ctx.set('Content-Encoding', encoding);
    ctx.body = encoding ? await asset.in(encoding) : asset.content;
    if (ctx.fresh) ctx.status = 304;
  }
}

function encodingFor(ctx: Context): Encoding | undefined {
  const accepted = ctx.acceptsEncodings('br', 'gzip', 'identity');
  return accepted === 'br' || accepted === 'gzip' ? accepted : undefined;
}
