import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import { matches, type SecretKeys } from '../../ticket/secret-keys.ts';
import { OptionalHook, type OptionalHookFacts } from '../hooks/optional-hook.ts';
import { protectImage } from '../request/security-headers.ts';
import type { Urls } from '../request/urls.ts';

/** The media types of a logo. */
export type LogoType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/svg+xml';

/** The picture of a client: its bytes, or the same as a `data:` URL in base64 (RFC 2397). 64 KiB at most. */
export type Logo = string | { readonly type: LogoType; readonly bytes: Uint8Array };

/** Returns the deployment's picture of a client; undefined if it has none. */
export type ClientLogo = (clientId: string) => Logo | undefined | Promise<Logo | undefined>;

/** The most bytes of a logo. A picture of 128 by 128 pixels has about a tenth of that. */
const MAX_BYTES = 65_536;

/**
 * Tests if bytes look like a picture of the type. The type must be right, because the answer forbids browsers to guess
 * another one (`nosniff`).
 */
const LOOKS_LIKE: Readonly<Record<LogoType, (bytes: Buffer) => boolean>> = {
  'image/png': (bytes) => bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  'image/jpeg': (bytes) => bytes.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')),
  'image/webp': (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  'image/svg+xml': (bytes) => /<svg[\s>]/.test(bytes.toString('utf8')),
};

interface Picture {
  readonly type: LogoType;
  readonly bytes: Buffer;
}

const CLIENT_LOGO: OptionalHookFacts<Picture> = {
  name: 'clientLogo',
  returns: '{ type, bytes } or a data: URL of a PNG, JPEG, WebP or SVG picture of 64 KiB at most, or undefined',
  gives: 'logo',
  warning: 'QR_LOGIN_LOGO',
  read: pictureOf,
};

export interface ClientLogoPorts {
  readonly urls: Pick<Urls, 'logo'>;
  readonly keys: SecretKeys;
  readonly clientLogo: ClientLogo;
}

/**
 * The pictures that the deployment returns for clients. No address that a client has registered is fetched, neither by
 * the server nor by a browser: see docs/decisions/0065.
 */
export class ClientLogos {
  readonly #ports: ClientLogoPorts;
  readonly #hook = new OptionalHook(CLIENT_LOGO);

  constructor(ports: ClientLogoPorts) {
    this.#ports = ports;
  }

  /** Returns the URL of a client's logo; undefined if there is none, or if the deployment's function fails. */
  async urlOf(clientId: string): Promise<string | undefined> {
    const { keys, urls } = this.#ports;
    const picture = await this.#find(clientId);
    if (picture === undefined) return undefined;
    const proof = keys.mac('logo', clientId).toString('base64url');
    return urls.logo(Buffer.from(clientId).toString('base64url'), proof, versionOf(picture));
  }

  /**
   * `GET /qr/logos/:client`: the picture, for the pages' `<img>` alone. Only addresses that a page of ours has named
   * are answered, so that a caller cannot pass ids of its own to the deployment's function.
   * @throws QrLoginError `not_found`
   */
  async serve(ctx: Context, name: string): Promise<void> {
    const clientId = Buffer.from(name, 'base64url').toString();
    const proofs = this.#ports.keys.candidates('logo', clientId).map((mac) => mac.toString('base64url'));
    const picture = matches(proofs, `${ctx.query.s ?? ''}`) ? await this.#find(clientId) : undefined;
    if (picture === undefined) throw new QrLoginError('not_found', 'There is no such file.');
    const version = versionOf(picture);
    protectImage(ctx);
    ctx.set('Cache-Control', ctx.query.v === version ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('ETag', `"${version}"`);
    ctx.set('Content-Type', picture.type);
    ctx.body = picture.bytes;
    if (ctx.fresh) ctx.status = 304;
  }

  #find(clientId: string): Promise<Picture | undefined> {
    return this.#hook.ask(() => this.#ports.clientLogo(clientId));
  }
}

/** Returns a logo in the form in which it is served; undefined if its type or its size is not allowed. */
function pictureOf(logo: unknown): Picture | undefined {
  const { type, bytes } = typeof logo === 'string' ? readDataUrl(logo) : membersOf(logo);
  if (!isLogoType(type) || !(bytes instanceof Uint8Array)) return undefined;
  if (bytes.length === 0 || bytes.length > MAX_BYTES) return undefined;
  const picture = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return LOOKS_LIKE[type](picture) ? { type, bytes: picture } : undefined;
}

function readDataUrl(url: string): { type?: unknown; bytes?: unknown } {
  const [, type, data = ''] = /^data:([\w/+]+);base64,([A-Za-z0-9+/]+={0,2})$/.exec(url) ?? [];
  return { type, bytes: Buffer.from(data, 'base64') };
}

function membersOf(value: unknown): { readonly type?: unknown; readonly bytes?: unknown } {
  return typeof value === 'object' && value !== null ? value : {};
}

function isLogoType(type: unknown): type is LogoType {
  return typeof type === 'string' && Object.hasOwn(LOOKS_LIKE, type);
}

function versionOf({ bytes }: Picture): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 12);
}
