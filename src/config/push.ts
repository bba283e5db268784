import { Agent } from 'node:https';
import * as v from 'valibot';
import { isKeyPair } from '../http/push/message-encryption.ts';
import type { PushSettings, Vapid } from '../http/push/push-sender.ts';
import { formatValue, strictObject } from './strict-object.ts';

/** The option `push`. */
export interface PushOptions {
  /** Your keys for Web Push (VAPID, RFC 8292). They stay the same: phones have subscribed with them. */
  readonly vapid: Vapid;
  /**
   * The hosts of push services, to which the server sends messages. `*.` stands for any labels in front.
   * @default those of Chrome, Firefox, Safari and Windows
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * The agent for requests to push services, for example through a proxy. It has to refuse the addresses of your own
   * network by itself.
   * @default an agent that connects to public addresses only
   */
  readonly agent?: Agent | undefined;
}

/** The push services of Chrome and Edge on Android, Firefox, Safari, and Edge on Windows. */
const KNOWN_HOSTS = ['fcm.googleapis.com', '*.push.services.mozilla.com', '*.push.apple.com', '*.notify.windows.com'];

const VAPID =
  'push.vapid must be { subject, publicKey, privateKey }: a mailto: or https: address, and a key pair of the curve P-256 as base64url';
const HOSTS = 'push.hosts must be a list of host names such as "fcm.googleapis.com" or "*.push.apple.com"';

function isVapid(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { subject, publicKey, privateKey }: { subject?: unknown; publicKey?: unknown; privateKey?: unknown } = value;
  if (typeof subject !== 'string' || !/^(?:mailto:|https:\/\/)\S+$/.test(subject)) return false;
  const [point, secret] = [publicKey, privateKey].map((key) => Buffer.from(`${key}`, 'base64url'));
  return point !== undefined && secret !== undefined && isKeyPair(point, secret);
}

function isHostList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((host) => typeof host === 'string' && /^(?:\*\.)?[a-z\d-]+(?:\.[a-z\d-]+)*$/.test(host))
  );
}

/** The schema of the option `push`. */
export const PUSH: v.GenericSchema<PushOptions, PushSettings> = strictObject(
  {
    vapid: v.custom<Vapid>(isVapid, VAPID),
    hosts: v.optional(v.custom<readonly string[]>(isHostList, HOSTS), KNOWN_HOSTS),
    agent: v.optional(v.instance(Agent, 'push.agent must be an Agent of node:https')),
  },
  {
    kind: 'member of push',
    otherwise: (value) =>
      `push must be an object such as { vapid: { subject, publicKey, privateKey } }, not ${formatValue(value)}`,
  },
);
