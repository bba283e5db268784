/**
 * Builds the app: bundles the scripts in the same way as those of the plugin's pages, and adds the files that are
 * served as they are.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The files of the app, by their paths on the server. */
export type AppFiles = ReadonlyMap<string, string | Buffer>;

/** The settings of the app, which are part of its page. */
export interface AppSettings {
  /** The issuer of the provider. */
  readonly issuer: string;
  /** The id of the app as a client of the provider. */
  readonly clientId: string;
  /** The name of the provider for its users. */
  readonly provider: string;
}

const HERE = new URL('./', import.meta.url);
const LOCALES = new URL('locales/', HERE);
const VIEWS = new URL('../../views/', HERE);
const ICONS = ['icon.svg', 'icon-180.png', 'icon-192.png', 'icon-512.png'];

/** The texts of the plugin's pages that the app shows as well, by the first word of their keys. */
const SHARED: ReadonlySet<string> = new Set(
  [
    'place',
    'browser',
    'landing',
    'action',
    'confirm',
    'done',
    'scan',
    'devices',
    'typing',
    'error',
    'scope',
    'claim',
  ].concat('consent', 'qr'),
);

/** The bundles do not depend on the settings, so all apps of a process share them. */
let bundled: Promise<ReadonlyMap<string, string>> | undefined;

/**
 * Builds the app.
 * @throws Error if a script cannot be bundled, for example because `npm run build` has not run
 */
export async function buildApp(settings: AppSettings): Promise<AppFiles> {
  bundled ??= bundleScripts();
  const scripts = await bundled;
  const files = new Map<string, string | Buffer>([
    ['/', page(settings)],
    ['/style.css', readFileSync(new URL('style.css', HERE), 'utf8')],
    ['/manifest.webmanifest', manifest(settings.provider)],
    ...ICONS.map((icon) => [`/${icon}`, readFileSync(new URL(`assets/${icon}`, VIEWS))] as const),
    ...texts(),
  ]);
  for (const [path, script] of scripts) if (path !== '/service-worker.js') files.set(path, script);
  return files.set('/service-worker.js', shellOf(files) + scripts.get('/service-worker.js'));
}

/** Returns the list of the files that the service worker keeps, as the first line of its script. */
function shellOf(files: AppFiles): string {
  const hash = createHash('sha256');
  for (const [path, content] of files) hash.update(path).update(content);
  const shell = { version: hash.digest('base64url').slice(0, 16), files: [...files.keys()] };
  return `const SHELL = ${JSON.stringify(shell)};\n`;
}

/**
 * Bundles scripts of the app, and the parts that they load later.
 * @param inputs their paths in this folder
 * @returns the scripts by their paths on the server
 */
export async function bundleScripts(
  inputs: readonly string[] = ['page/main.ts', 'worker/service-worker.ts'],
): Promise<ReadonlyMap<string, string>> {
  // The bundler loads slowly, so it is loaded only when the app is built.
  const { rolldown } = await import('rolldown');
  const scripts = new Map<string, string>();
  for (const input of inputs) {
    const bundle = await rolldown({ input: fileURLToPath(new URL(input, HERE)), platform: 'browser' });
    const { output } = await bundle.generate({ format: 'esm', minify: true, chunkFileNames: '[name]-[hash].js' });
    for (const file of output) if (file.type === 'chunk') scripts.set(`/${file.fileName}`, file.code);
    await bundle.close();
  }
  return scripts;
}

function page(settings: AppSettings): string {
  const values: Readonly<Record<string, string>> = { ...settings };
  return readFileSync(new URL('index.html', HERE), 'utf8').replace(/\{\{(\w+)\}\}/g, (_whole, name: string) =>
    escapeHtml(values[name] ?? ''),
  );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The manifest makes the app installable (W3C Web Application Manifest). */
function manifest(provider: string): string {
  return JSON.stringify({
    id: '/',
    name: provider,
    short_name: provider,
    start_url: '/',
    scope: '/',
    display: 'standalone',
    background_color: '#f2f4f7',
    theme_color: '#f2f4f7',
    icons: [
      { src: '/icon.svg', type: 'image/svg+xml', sizes: 'any' },
      { src: '/icon-192.png', type: 'image/png', sizes: '192x192', purpose: 'any maskable' },
      { src: '/icon-512.png', type: 'image/png', sizes: '512x512', purpose: 'any maskable' },
    ],
    // "Share" in another app sends the link of a code here. Nothing happens with the link before the user confirms.
    share_target: {
      action: '/',
      method: 'GET',
      enctype: 'application/x-www-form-urlencoded',
      params: { text: 'text', url: 'link' },
    },
    // An installed app stays in its window when a link to it is opened.
    launch_handler: { client_mode: 'navigate-existing' },
  });
}

/** Returns a file for each language: the texts that the app shares with the plugin's pages, and its own. */
function texts(): [string, string][] {
  const read = (folder: URL, file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  return readdirSync(LOCALES).map((file) => {
    const shared = Object.entries(read(new URL('locales/', VIEWS), file)).filter(([key]) =>
      SHARED.has(key.split('.')[0] ?? key),
    );
    return [`/texts/${basename(file)}`, JSON.stringify({ ...Object.fromEntries(shared), ...read(LOCALES, file) })];
  });
}
