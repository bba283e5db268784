import type { Context } from 'koa';
import { CODE_LENGTH } from '../../ticket/codes/code.ts';
import type { PluginRequest } from '../request/plugin-request.ts';
import type { Urls } from '../request/urls.ts';

/** An Android app, and the certificates that it is signed with. */
export interface AndroidApp {
  /** Its application id: `com.example.app`. */
  readonly package: string;
  /** The SHA-256 fingerprints of its certificates: 32 bytes in hexadecimal, separated by colons. */
  readonly sha256: string | readonly string[];
}

/** The native apps of a deployment that open the addresses in codes. */
export interface NativeApps {
  /** The name by which users know the app: the QR page tells them to open it. */
  readonly name?: string | undefined;
  /** The application identifiers of iOS apps: team id and bundle id, `ABCDE12345.com.example.app`. */
  readonly ios?: readonly string[] | undefined;
  readonly android?: readonly AndroidApp[] | undefined;
  /** The app's own scheme, in reverse domain form: `com.example.app` (RFC 8252, section 7.1). */
  readonly scheme?: string | undefined;
}

export const APPLE_PATH = '/.well-known/apple-app-site-association';
export const ANDROID_PATH = '/.well-known/assetlinks.json';

/** Phones and the services of their makers may keep a file for this long. */
const CACHE_CONTROL = 'public, max-age=3600';

/** The paths below `/qr/` that are not codes, so that phones open them in the browser and not in the app. */
const PAGES = ['assets/*', 'api/*', 'tickets/*', 'scan', 'devices', 'manifest.webmanifest'];

interface LinkComponent {
  readonly '/': string;
  readonly exclude?: true;
  readonly comment?: string;
}

/**
 * Links between the provider's addresses and native apps: the files by which iOS and Android open the address in a code
 * with the app, and the links with its own scheme that pages offer.
 */
export class AppLinks {
  readonly #urls: Urls;
  readonly #issuer: string;
  readonly #apps: NativeApps;

  constructor(urls: Urls, issuer: string, apps: NativeApps) {
    this.#urls = urls;
    this.#issuer = issuer;
    this.#apps = apps;
  }

  get hasApple(): boolean {
    return (this.#apps.ios ?? []).length > 0;
  }

  get hasAndroid(): boolean {
    return (this.#apps.android ?? []).length > 0;
  }

  /** True if a page can open the app. */
  get hasScheme(): boolean {
    return this.#apps.scheme !== undefined;
  }

  /**
   * Returns the address that opens a code in the app, with the issuer, or undefined if the app has no scheme.
   * @param returnTo the page to come back to after the decision, if the browser is on the same device
   */
  makeAppUrl(code: string, returnTo?: string): string | undefined {
    const { scheme } = this.#apps;
    if (scheme === undefined) return undefined;
    const query = { iss: this.#issuer, ...(returnTo !== undefined && { return: this.#urls.absolute(returnTo) }) };
    return `${scheme}:/qr/${code}?${new URLSearchParams(query)}`;
  }

  /** `GET /.well-known/apple-app-site-association`, which Apple describes in "Supporting associated domains". */
  apple = ({ ctx }: PluginRequest): void => {
    const details = [{ appIDs: this.#apps.ios ?? [], components: this.#components() }];
    serve(ctx, { applinks: { details } });
  };

  /**
   * `GET /.well-known/assetlinks.json`, which Google describes in "Digital Asset Links". Android 15 and later also take
   * the paths from here; earlier versions take them only from the app's manifest.
   */
  android = ({ ctx }: PluginRequest): void => {
    const relation = 'delegate_permission/common.handle_all_urls';
    const statements = (this.#apps.android ?? []).map(({ package: name, sha256 }) => ({
      relation: [relation],
      target: { namespace: 'android_app', package_name: name, sha256_cert_fingerprints: [sha256].flat() },
      relation_extensions: { [relation]: { dynamic_app_link_components: this.#components() } },
    }));
    serve(ctx, statements);
  };

  /** Warns if the files must be served by the host, because they have to be at the root of the origin. */
  warnIfBelowPath(): void {
    if (this.#urls.base === '' || !(this.hasApple || this.hasAndroid)) return;
    const files = [...(this.hasApple ? [APPLE_PATH] : []), ...(this.hasAndroid ? [ANDROID_PATH] : [])];
    const from = files.map((file) => this.#urls.absolute(this.#urls.base + file));
    const to = files.map((file) => this.#urls.absolute(file));
    process.emitWarning(
      `phones look for the links of apps at ${to.join(' and ')}, outside of the provider: let your server answer there with what the provider answers at ${from.join(' and ')}`,
      { type: 'QrLoginWarning', code: 'QR_LOGIN_APP_LINKS' },
    );
  }

  /** Returns patterns that match the paths of codes alone. The first match decides. */
  #components(): LinkComponent[] {
    const { phone } = this.#urls;
    return [
      ...PAGES.map((page): LinkComponent => ({ '/': `${phone}/${page}`, exclude: true })),
      { '/': `${phone}/${'?'.repeat(CODE_LENGTH)}`, comment: 'The address in a code' },
    ];
  }
}

function serve(ctx: Context, body: unknown): void {
  ctx.set('Cache-Control', CACHE_CONTROL);
  ctx.body = body;
}
