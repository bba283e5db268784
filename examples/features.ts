/** The features that are switched on, for programs that try the example: `npm run attack` asks for them. */
import type { Middleware } from 'koa';
import type { ExampleOptions } from './provider.ts';

export interface Features {
  readonly passkeys: boolean;
  readonly shortCode: boolean;
  /** True if requests are limited. */
  readonly limits: boolean;
  /** True if `X-Forwarded-*` headers are trusted. */
  readonly proxy: boolean;
  /** The address that makes providers with other settings, if there is one. */
  readonly settings?: string;
}

type ExampleFeatures = Pick<ExampleOptions, 'passkeys' | 'proxy' | 'qrLogin' | 'settingsUrl'>;

/** Serves the features at `/account/features`. */
export function serveFeatures({
  passkeys = false,
  proxy = false,
  qrLogin = {},
  settingsUrl,
}: ExampleFeatures): Middleware {
  const described: Features = {
    passkeys,
    proxy,
    shortCode: qrLogin.shortCode ?? false,
    limits: qrLogin.limits !== false,
    ...(settingsUrl !== undefined && { settings: settingsUrl }),
  };
  return async (ctx, next) => {
    if (ctx.path !== '/account/features') return next();
    ctx.body = described;
  };
}
