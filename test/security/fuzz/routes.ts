/** Reads the URLs of the plugin from its source. */
import { readFileSync } from 'node:fs';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** The caller whose access token the route takes. Other routes take cookies. */
  readonly tokenOf?: 'app' | 'client';
}

const METHODS: Readonly<Record<string, Route['method']>> = { get: 'GET', post: 'POST', delete: 'DELETE' };

/** Read from the source of the routes, so that none is forgotten. */
export const ROUTES: readonly Route[] = [
  ...readFileSync(new URL('../../../src/http/routes.ts', import.meta.url), 'utf8').matchAll(
    /^ {2}at(Api)?\('([^']+)', \{(.*?)\}\);$/gms,
  ),
].flatMap(([, api, path = '', methods = '']) =>
  [...methods.matchAll(/\b(get|post|delete):/g)].map(
    ([, method = '']): Route => ({
      method: METHODS[method] ?? 'GET',
      path,
      ...(api !== undefined && { tokenOf: path.startsWith('/qr/actions') ? 'client' : 'app' }),
    }),
  ),
);

/** The only route of the API that takes no token. */
export const PUBLIC_DESCRIPTION = '/qr/api/openapi.json';
