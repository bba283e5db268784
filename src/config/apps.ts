import * as v from 'valibot';
import { strictObject, written } from './strict-object.ts';

/** The option `apps`. */
export interface AppOptions {
  /**
   * The client ids of the apps that may approve.
   * @default each client that was granted the scope `qr_login`
   */
  readonly clients?: readonly string[] | undefined;
}

const CLIENTS = 'apps.clients must be a list of client ids, for example ["my-app"]';

/** The schema of the option `apps`. */
export const APPS: v.GenericSchema<AppOptions> = strictObject(
  {
    clients: v.optional(v.array(v.pipe(v.string(CLIENTS), v.minLength(1, CLIENTS)), CLIENTS)),
  },
  {
    kind: 'member of apps',
    otherwise: (value) => `apps must be an object such as { clients: ["my-app"] }, not ${written(value)}`,
  },
);
