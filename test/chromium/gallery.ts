/** Serves every page in each of its states and in any language, from samples, for tests and pictures. */
import Koa, { type Context } from 'koa';
import { Assets } from '../../src/http/pages/assets.ts';
import { Locales } from '../../src/http/pages/locales.ts';
import { PageRenderer } from '../../src/http/pages/renderer.ts';
import { SAMPLES } from '../../src/http/pages/samples.ts';
import { readViewFolder } from '../../src/http/pages/view-folder.ts';
import { protectAnswer } from '../../src/http/request/security-headers.ts';
import { Urls } from '../../src/http/request/urls.ts';
import { type RunningServer, serve } from '../support/server.ts';

export interface Exhibit {
  readonly page: string;
  readonly state: string;
  /** The path at which the gallery serves it. */
  readonly path: string;
}

/** The manifest is a template as well, but not a visible page. */
const { manifest: _, ...SHOWN } = SAMPLES;

export const EXHIBITS: readonly Exhibit[] = Object.entries(SHOWN).flatMap(([page, samples]) =>
  Object.keys(samples).map((state) => ({ page, state, path: `/${page}/${encodeURIComponent(state)}` })),
);

/** Starts the gallery. @param folders a deployment's folders of views */
export function openGallery(folders: readonly string[] = []): Promise<RunningServer> {
  return serve(async (origin) => {
    const views = viewsAt(origin, folders);
    const app = new Koa();
    app.use(async (ctx) => {
      const [, page = '', state = ''] = ctx.path.split('/').map(decodeURIComponent);
      if (page === 'qr' && state === 'assets') return serveAsset(views.assets, ctx, ctx.path.split('/').at(-1) ?? '');
      protectAnswer(ctx);
      return show(views.views, ctx, { page, state });
    });
    return { app };
  });
}

function serveAsset(assets: Assets, ctx: Context, name: string): void | Promise<void> {
  // This script would leave its page immediately, because the browser cannot store a passkey.
  if (name !== 'browser-passkey.js') return assets.serve(ctx, name);
  ctx.type = 'js';
  ctx.body = '';
}

function viewsAt(origin: string, paths: readonly string[]): { assets: Assets; views: PageRenderer } {
  const folders = paths.map(readViewFolder);
  const assets = new Assets(
    new Urls(origin),
    folders.map((folder) => folder.assets),
  );
  const names = { provider: 'Example ID', site: 'id.example.com' };
  const locales = new Locales(
    names,
    folders.map((folder) => folder.locales),
  );
  return { assets, views: new PageRenderer({ assets, locales, folders, provider: names.provider }) };
}

/** Renders a sample. `?ui_locales=ar` chooses the language, as an RP does. */
function show(views: PageRenderer, ctx: Context, { page, state }: Pick<Exhibit, 'page' | 'state'>): void {
  const samples: Readonly<Record<string, Readonly<Record<string, object>>>> = SAMPLES;
  const sample = samples[page]?.[state];
  if (sample === undefined) ctx.throw(404);
  views.renderOwn(ctx, page, sample, String(ctx.query.ui_locales ?? '').split(' '));
}
