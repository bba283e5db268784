/** The options and the messages of a node that tests start as a separate process. All of them can be sent as JSON. */
import type { ClientMetadata, Configuration } from 'oidc-provider';
import type { QrLoginOptions, Verdict } from '../../src/index.ts';

/** The address of a Redis, a Redis Cluster or a Sentinel, in the form that `@keyv/redis` takes. */
export type RedisAddress =
  | { readonly url: string }
  | { readonly rootNodes: { url: string }[] }
  | { readonly name: string; readonly sentinelRootNodes: { host: string; port: number }[] };

/** The options of the plugin that are not functions, and a fixed verdict for every sign-in. */
export type PlainQrLoginOptions = Pick<
  QrLoginOptions,
  'deadlines' | 'limits' | 'rotation' | 'secrets' | 'showAddress'
> & {
  readonly assess?: Verdict | 'by address';
};

export interface NodeOptions {
  readonly issuer: string;
  /** The port that it listens at, on the loopback address. */
  readonly port: number;
  readonly redis: RedisAddress;
  readonly clients: ClientMetadata[];
  /** The number of users besides alice and bob. */
  readonly people: number;
  readonly qrLogin: PlainQrLoginOptions;
  /** Configuration of the provider besides that of the fixture. */
  readonly configuration?: Pick<Configuration, 'jwks'>;
}

/** The environment variable that holds the {@link NodeOptions}. */
export const NODE_OPTIONS_VARIABLE = 'QR_LOGIN_NODE';

/**
 * The prefix of the line that a node prints for each event of the plugin. The rest of the line is a {@link NodeEvent}
 * as JSON.
 */
export const EVENT_PREFIX = 'event ';

/** An event of the plugin on one of the nodes. */
export interface NodeEvent {
  readonly event: string;
  readonly ticket?: string;
  readonly accountId?: string;
  readonly clientId?: string;
  readonly because?: string;
  readonly from?: string;
  readonly browserFrom?: string;
  /** The code of the error, if the event is `qr_login.failed`. */
  readonly code?: string;
}

export const READY = 'ready';
