import type { Next } from 'koa';
import type { PluginRequest } from './plugin-request.ts';

/** A check before a request is handled. @throws QrLoginError if the request is refused */
export type Guard = (request: PluginRequest) => void | Promise<void>;

/**
 * Runs the guards of a route and returns the typed request that its handler accepts. A handler for a `PhoneForm` can
 * therefore only be mounted behind an entry that has checked the origin, counted the request and read the form.
 * @throws QrLoginError if a guard refuses the request
 */
export type Entry<Admitted extends PluginRequest> = (request: PluginRequest) => Admitted | Promise<Admitted>;

/** Answers a request that its guards have let through. */
export type Handler<Admitted extends PluginRequest> = (request: Admitted, next: Next) => void | Promise<void>;
