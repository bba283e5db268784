/** Sends the requests of a client that asks without a browser (CIBA), and lets a phone find and open them. */
import * as client from 'openid-client';
import type { NotifiedRequest, QrLoginOptions } from '../../../src/index.ts';
import { DESK, deskClient } from '../../fixtures/test-client.ts';
import type { Answer } from '../../support/agent.ts';
import { PhonePerson, World, type WorldOptions } from '../../support/world.ts';

export const ALICE = 'a11ce';
const BOB = 'b0b';
/** A message as a call centre shows it. */
export const MESSAGE = 'W4SC 1207';

/** Finds accounts by their email addresses. */
export const byEmail: NonNullable<QrLoginOptions['ciba']> = {
  findAccount: (hint) => ({ 'alice@example.com': ALICE, 'bob@example.com': BOB })[hint],
};

export interface DeskWorld {
  readonly world: World;
  /** The requests that the option `notify` was called with, and their accounts. */
  readonly notified: readonly (readonly [accountId: string, request: NotifiedRequest])[];
}

/** Starts a provider with the client `desk`, which polls for its tokens. */
export async function startWithDesk({ qrLogin, clients = [], ...options }: WorldOptions = {}): Promise<DeskWorld> {
  const notified: (readonly [string, NotifiedRequest])[] = [];
  const world = await World.start({
    ...options,
    clients: [deskClient(), ...clients],
    qrLogin: { ciba: byEmail, notify: (...given) => void notified.push(given), ...qrLogin },
  });
  return { world, notified };
}

/** A request that a client has sent, and what the client needs to poll for the tokens. */
export interface Asked {
  readonly configuration: client.Configuration;
  readonly answer: client.BackchannelAuthenticationResponse;
}

/** Sends a request of this client for an approval, by alice if the parameters name no other user. */
export async function ask(
  world: Pick<World, 'configuration'>,
  parameters: Record<string, string> = {},
  clientId: string = DESK,
): Promise<Asked> {
  const configuration = await world.configuration(clientId);
  const answer = await client.initiateBackchannelAuthentication(configuration, {
    scope: 'openid profile',
    ...('id_token_hint' in parameters || 'login_hint_token' in parameters ? {} : { login_hint: 'alice@example.com' }),
    ...parameters,
  });
  return { configuration, answer };
}

/** Fetches the tokens at once, without waiting between two tries. @throws the error of the token endpoint */
export function fetchTokens({ configuration, answer }: Asked): ReturnType<typeof client.genericGrantRequest> {
  return client.genericGrantRequest(configuration, 'urn:openid:params:grant-type:ciba', {
    auth_req_id: answer.auth_req_id,
  });
}

/** Returns the code and the status of the error with which an endpoint has refused. @throws if it has not */
export async function refusal(
  answering: Promise<unknown>,
): Promise<{ readonly error: string; readonly status: number }> {
  try {
    await answering;
  } catch (error) {
    if (error instanceof client.ResponseBodyError) return { error: error.error, status: error.status };
    throw error;
  }
  throw new Error('it was not refused');
}

interface ListedRequest {
  readonly id: string;
  readonly url: string;
  readonly csrf: string;
  readonly client: { readonly name: string; readonly host?: string };
  readonly expiresIn: number;
}

/** Returns the requests on the list of a phone. */
export async function listed(phone: PhonePerson): Promise<readonly ListedRequest[]> {
  const answer = await phone.agent.get(`${phone.world.issuer}/qr/devices`, { headers: { accept: 'application/json' } });
  return answer.json().requests as readonly ListedRequest[];
}

/** Opens a request by its address, as a notification does. */
export async function open(phone: PhonePerson, url: string): Promise<Answer> {
  const headers = { accept: 'application/json' };
  const page = await phone.agent.get(url, { headers });
  if (page.status !== 200) return page;
  const answer = await phone.agent.post(url, { headers, json: { csrf: `${page.json().csrf}` } });
  if (answer.status === 200) {
    phone.at = new URL(`${answer.json().redirectTo}`, url).href;
    phone.csrf = `${(await phone.look()).json().csrf}`;
  }
  return answer;
}

/** Opens the only request on the list of a phone. */
export async function openFirst(phone: PhonePerson): Promise<Answer> {
  const [first] = await listed(phone);
  if (first === undefined) throw new Error('no request waits');
  return open(phone, new URL(first.url, phone.world.origin).href);
}

/** Returns a phone that is signed in, and that has opened the request. */
export async function phoneWithRequest(world: World, name: 'alice' | 'bob' = 'alice'): Promise<PhonePerson> {
  const phone = await new PhonePerson(world).signIn(name);
  await openFirst(phone);
  return phone;
}
