import * as v from 'valibot';
import type { NativeApps } from '../http/api/app-links.ts';
import { formatValue, strictObject } from './strict-object.ts';

/** The option `apps`. */
export interface AppOptions extends NativeApps {
  /**
   * The client ids of the apps that may approve.
   * @default each client that was granted the scope `qr_login`
   */
  readonly clients?: readonly string[] | undefined;
}

const CLIENTS = 'apps.clients must be a list of client ids, for example ["my-app"]';

const NAME = 'apps.name must be the name of your app, for example "My app"';
const IOS = 'apps.ios must be a list of application identifiers, for example ["ABCDE12345.com.example.app"]';
const ANDROID =
  'apps.android must be a list of { package: "com.example.app", sha256 } with the fingerprints of its certificates: 32 bytes in hexadecimal, separated by colons';
const SCHEME = 'apps.scheme must be the scheme of your app in reverse domain form, for example "com.example.app"';
const fingerprint = v.pipe(v.string(ANDROID), v.regex(/^[\dA-F]{2}(?::[\dA-F]{2}){31}$/i, ANDROID));

/** The schema of the option `apps`. */
export const APPS: v.GenericSchema<AppOptions> = strictObject(
  {
    clients: v.optional(v.array(v.pipe(v.string(CLIENTS), v.minLength(1, CLIENTS)), CLIENTS)),
    name: v.optional(v.pipe(v.string(NAME), v.regex(/\S/, NAME))),
    ios: v.optional(v.array(v.pipe(v.string(IOS), v.regex(/^[A-Z\d]{10}\.[\w.-]+$/, IOS)), IOS)),
    android: v.optional(
      v.array(
        v.strictObject(
          {
            package: v.pipe(v.string(ANDROID), v.regex(/^[A-Za-z]\w*(?:\.\w+)+$/, ANDROID)),
            sha256: v.union([fingerprint, v.array(fingerprint, ANDROID)], ANDROID),
          },
          ANDROID,
        ),
        ANDROID,
      ),
    ),
    scheme: v.optional(v.pipe(v.string(SCHEME), v.regex(/^[a-z][a-z\d+-]*(?:\.[a-z\d+-]+)+$/i, SCHEME))),
  },
  {
    kind: 'member of apps',
    otherwise: (value) => `apps must be an object such as { clients: ["my-app"] }, not ${formatValue(value)}`,
  },
);
