import type { PluginRequest } from '../request/plugin-request.ts';
import { seeOther, wantsJson } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';

/** The number of browsers that a request has signed out, and of apps that could not be told. */
export interface SignOutResult {
  readonly ended: number;
  readonly unreached: number;
}

/** Answers with the result: as JSON, or on the list of browsers. */
export function answerSignOut(request: PluginRequest, urls: Urls, result: SignOutResult): void {
  if (wantsJson(request)) request.ctx.body = result;
  else seeOther(request.ctx, `${urls.devices}?ended=${result.ended}${result.unreached > 0 ? '&unreached=yes' : ''}`);
}
