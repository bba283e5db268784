import type { OutgoingHttpHeaders } from 'node:http';
import type { RouterContext } from '@koa/router';

/**
 * Facts about a request that its refusal reports: in the event `qr_login.failed`, and as links of the error page. They
 * are filled in as they become known.
 */
export interface FailureContext {
  /** The account that the request acts for. */
  accountId?: string;
  /**
   * The page that "Try again" links to. A POST cannot be repeated by a GET, so that is not always the URL of the
   * request.
   */
  again?: string;
  /** The page on which the user can continue after a mistake. */
  back?: string;
  /** The page that scans another code, if the request came from a page of the phone. */
  scan?: string;
  /** The home page of the client that started the sign-in. */
  home?: string;
  /** True if a client may send a bearer token here. */
  takesBearer?: boolean;
}

/** A request to one of the plugin's URLs. The guards of a route add to it what its handler needs. */
export interface PluginRequest {
  readonly ctx: RouterContext;
  /** True if only scripts ask for this URL: they get JSON even if they do not say so. */
  readonly isForScripts: boolean;
  /** Present if only apps ask for this URL: they get JSON, even if they ask for something else. */
  readonly isForApps?: true;
  /** The headers that the answer had before the plugin added its own. */
  readonly hostHeaders: OutgoingHttpHeaders;
  readonly failure: FailureContext;
}
