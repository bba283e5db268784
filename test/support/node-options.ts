/** What a node of the tests is told; all of it survives JSON. */
import type { ClientMetadata } from 'oidc-provider';
import type { QrLoginOptions, Verdict } from '../../src/index.ts';

/** Where its Redis is, as `@keyv/redis` wants to know it. */
export type RedisAddress =
  | { readonly url: string }
  | { readonly rootNodes: { url: string }[] }
  | { readonly name: string; readonly sentinelRootNodes: { host: string; port: number }[] };

/** The options that are no functions, and what every sign-in takes. */
export type PlainQrLoginOptions = Pick<
  QrLoginOptions,
  'deadlines' | 'limits' | 'rotation' | 'secrets' | 'showAddress'
> & {
  readonly assess?: Verdict | 'by default';
};

export interface NodeOptions {
  readonly issuer: string;
  /** Where it listens, on this machine only. */
  readonly port: number;
  readonly redis: RedisAddress;
  readonly clients: ClientMetadata[];
  /** How many people there are beside alice and bob. */
  readonly people: number;
  readonly qrLogin: PlainQrLoginOptions;
}

/** The environment variable that they come in. */
export const NODE_OPTIONS_VARIABLE = 'QR_LOGIN_NODE';

/** What a node writes for each event of the plugin: this, and then JSON. */
export const TOLD = 'told ';

/** An event of the plugin on one of the nodes. */
export interface Told {
  readonly event: string;
  readonly ticket?: string;
  readonly accountId?: string;
  readonly clientId?: string;
  readonly because?: string;
  readonly from?: string;
  readonly browserFrom?: string;
  /** The code of the error, where the event is `qr_login.failed`. */
  readonly code?: string;
}

export const READY = 'ready';
