import type { Context } from 'koa';

/** A check before a request is handled. @throws QrLoginError if the request is refused */
export type Guard = (ctx: Context) => void | Promise<void>;
