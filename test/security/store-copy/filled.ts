/** Fills the store of a server with live records of every model of oidc-provider. */
import { expect } from 'chai';
import type { Configuration } from 'oidc-provider';
import { Agent, type Answer } from '../../support/agent.ts';
import { withFeatures } from '../../support/relying-party.ts';
import {
  BrowserPerson,
  CLIENT_SECRET,
  PhonePerson,
  RP_CALLBACK,
  testClient,
  type World,
  type WorldOptions,
} from '../../support/world.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';
/** The client that holds the tokens, and has all grants. */
export const HOLDER = 'holder';

/** The authorization of a client with the secret of the tests. */
export function basicOf(clientId: string, secret: string = CLIENT_SECRET): Record<string, string> {
  const credentials = [clientId, secret].map(encodeURIComponent).join(':');
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

const CONFIGURATION: Configuration = {
  ...withFeatures({
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    registration: { enabled: true, initialAccessToken: true },
    registrationManagement: { enabled: true },
    clientCredentials: { enabled: true },
    ciba: {
      enabled: true,
      processLoginHint: (_ctx, hint) => hint,
      validateRequestContext: () => undefined,
      validateBindingMessage: () => undefined,
      verifyUserCode: () => undefined,
      triggerAuthenticationDevice: () => undefined,
    },
  }),
  issueRefreshToken: async () => true,
};

export const OPTIONS: WorldOptions = {
  configuration: CONFIGURATION,
  clients: [
    testClient(HOLDER, {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_GRANT, CIBA_GRANT],
      backchannel_token_delivery_mode: 'poll',
    }),
  ],
  qrLogin: { shortCode: true },
};

/** The data about the filled store that a test needs. */
export interface StoredSignIns {
  /** The id of the client that has registered itself. */
  readonly registered: string;
}

/** Signs users in. Leaves unfinished sign-ins and unused records of every model in the store. */
export async function fill(world: World): Promise<StoredSignIns> {
  const { browser, phone } = await world.meet();
  await phone.scan(await browser.code());
  await phone.approve({ remember: 'yes' });
  const tokens = await browser.tokens(await browser.arrive());
  expect(tokens).to.include.keys('access_token', 'refresh_token', 'id_token');
  // One interaction waits for a phone, one has been scanned, and one is in a browser that already has a session.
  await new BrowserPerson(world).start();
  const scanned = new BrowserPerson(world);
  await scanned.start();
  await phone.scan(await scanned.code());
  await browser.start({ prompt: 'login' });
  await new PhonePerson(world).signIn('bob');
  await askWithoutBrowser(world);
  await saveUnused(world);
  return { registered: await register(world) };
}

/** Pushes authorization requests, starts sign-ins of devices, and gets a token for the client itself. */
async function askWithoutBrowser({ issuer }: World): Promise<void> {
  const ask = async (path: string, form: Record<string, string>, status: number): Promise<Answer> => {
    const answer = await new Agent().post(`${issuer}${path}`, { form, headers: basicOf(HOLDER) });
    expect(answer.status, answer.text).to.equal(status);
    return answer;
  };
  const challenge = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
  const wanted = { client_id: HOLDER, redirect_uri: RP_CALLBACK, response_type: 'code', scope: 'openid', ...challenge };
  await ask('/request', wanted, 201);
  const pushed = (await ask('/request', wanted, 201)).json();
  await new Agent().follow(
    `${issuer}/auth?${new URLSearchParams({ client_id: HOLDER, request_uri: `${pushed.request_uri}` })}`,
  );
  await ask('/device/auth', { client_id: HOLDER, scope: 'openid' }, 200);
  await ask('/backchannel', { client_id: HOLDER, scope: 'openid', login_hint: 'a11ce' }, 200);
  await ask('/token', { grant_type: 'client_credentials' }, 200);
}

/** Saves codes, tokens and approved sign-ins of devices directly. None of them is used. */
async function saveUnused({ provider }: World): Promise<void> {
  const grant = new provider.Grant({ accountId: 'a11ce', clientId: HOLDER });
  grant.addOIDCScope('openid offline_access');
  const grantId = await grant.save();
  const client = await provider.Client.find(HOLDER);
  if (client === undefined) throw new Error('the client is missing');
  const given = { accountId: 'a11ce', client, grantId, scope: 'openid offline_access', authTime: 1_767_225_600 };
  await new provider.AuthorizationCode({
    ...given,
    redirectUri: RP_CALLBACK,
    gty: 'authorization_code',
  } as never).save();
  await new provider.RefreshToken({ ...given, gty: 'authorization_code', rotations: 0 } as never).save();
  await new provider.AccessToken({ ...given, gty: 'authorization_code' } as never).save();
  await new provider.DeviceCode({
    ...given,
    params: { scope: 'openid' },
    userCode: 'BCDFGHJKLMNPQRST',
  } as never).save();
  await new provider.BackchannelAuthenticationRequest({ ...given, params: { scope: 'openid' } } as never).save();
  await new provider.InitialAccessToken({ expiresIn: 3600 }).save();
  await provider.ReplayDetection.unique('a client', 'an assertion', Math.floor(Date.now() / 1000) + 600);
}

/** Registers a client. @returns its id */
async function register({ provider, issuer }: World): Promise<string> {
  const token = await new provider.InitialAccessToken({ expiresIn: 3600 }).save();
  const answer = await new Agent().post(`${issuer}/reg`, {
    json: { redirect_uris: [RP_CALLBACK], grant_types: ['client_credentials'], response_types: [] },
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status, answer.text).to.equal(201);
  return `${answer.json().client_id}`;
}
