/** A provider that sends messages to a push service of the test. */
import { createECDH } from 'node:crypto';
import type { PushOptions, Vapid } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import { PUSH_HOST, type PushService, type Subscriber } from '../../support/push-service.ts';
import type { PhonePerson, WorldOptions } from '../../support/world.ts';

export function makeVapid(): Vapid {
  const pair = createECDH('prime256v1');
  const publicKey = pair.generateKeys('base64url');
  return { subject: 'mailto:operator@example.com', publicKey, privateKey: pair.getPrivateKey('base64url') };
}

/** Returns the option `push`, with an agent that reaches the service of the test. */
function pushOptions(service: PushService, more: Partial<PushOptions> = {}): PushOptions {
  return { vapid: makeVapid(), hosts: [PUSH_HOST], agent: service.agent(), ...more };
}

/** Returns options of a provider whose known browsers ask phones, which are told by Web Push. */
export function pushing(service: PushService, more: Partial<PushOptions> = {}): WorldOptions {
  return { qrLogin: { askPhone: {}, push: pushOptions(service, more) } };
}

interface NotifiedPhones {
  readonly publicKey: string;
  readonly phones: readonly { readonly id: string; readonly isHere: boolean }[];
}

interface DevicesPage {
  readonly csrf: string;
  readonly push?: NotifiedPhones;
}

export async function devicesOf(phone: PhonePerson): Promise<DevicesPage> {
  const answer = await phone.agent.get(`${phone.world.issuer}/qr/devices`, { headers: { accept: 'application/json' } });
  return answer.json() as unknown as DevicesPage;
}

/** Sends a form of the list of browsers. */
export async function sendForm(phone: PhonePerson, fields: Record<string, string>): Promise<Answer> {
  const { csrf } = await devicesOf(phone);
  return phone.agent.post(`${phone.world.issuer}/qr/devices`, { json: { csrf, ...fields } });
}

/** Subscribes the phone, as its page does. */
export async function subscribe(phone: PhonePerson, service: PushService): Promise<Subscriber> {
  const subscriber = await service.subscribe();
  const answer = await sendForm(phone, { subscribe: subscriber.json });
  if (answer.status !== 200) throw new Error(answer.text);
  return subscriber;
}
