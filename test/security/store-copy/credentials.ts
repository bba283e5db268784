/** Tries a string as each kind of credential that oidc-provider accepts. */
import { createHmac } from 'node:crypto';
import { COOKIE_KEYS } from '../../fixtures/secrets.ts';
import { Agent } from '../../support/agent.ts';
import { RP_CALLBACK, type World } from '../../support/world.ts';
import { basicOf, CIBA_GRANT, DEVICE_GRANT, HOLDER, type StoredSignIns } from './filled.ts';

/** Tries one string as a credential. @returns true if the server accepts it */
type Attempt = (site: StoreTheft, text: string) => Promise<boolean>;

/** The server, and the data that a thief knows besides the copy of its store. */
export interface StoreTheft extends StoredSignIns {
  readonly world: World;
}

function bearer(path: (site: StoreTheft) => string, method: 'GET' | 'POST', status: number): Attempt {
  return async (site, text) => {
    if (!/^[\x21-\x7e]+$/.test(text)) return false;
    const headers = { authorization: `Bearer ${text}` };
    const json = method === 'POST' ? { redirect_uris: [RP_CALLBACK] } : undefined;
    const url = `${site.world.issuer}${path(site)}`;
    return (await new Agent().send(url, { method, headers, ...(json && { json }) })).status === status;
  };
}

function token(form: (text: string) => Record<string, string>): Attempt {
  return async ({ world }, text) =>
    (await new Agent().post(`${world.issuer}/token`, { form: form(text), headers: basicOf(HOLDER) })).status === 200;
}

/** Attempts for which the thief has the secret of the client to which the credential was given. */
export const OVER_HTTP: Readonly<Record<string, Attempt>> = {
  'an access token': bearer(() => '/me', 'GET', 200),
  'a token to introspect': async ({ world }, text) => {
    const url = `${world.issuer}/token/introspection`;
    const answer = await new Agent().post(url, { form: { token: text }, headers: basicOf(HOLDER) });
    return answer.status === 200 && answer.json().active === true;
  },
  'a token that manages a registration': bearer(({ registered }) => `/reg/${registered}`, 'GET', 200),
  'an initial access token': bearer(() => '/reg', 'POST', 201),
  'a pushed request': async ({ world }, text) => {
    const request_uri = text.startsWith('urn:') ? text : `urn:ietf:params:oauth:request_uri:${text}`;
    const url = `${world.issuer}/auth?${new URLSearchParams({ client_id: HOLDER, request_uri })}`;
    return (await new Agent().get(url)).location.includes('/interaction/');
  },
  'the secret of a client': async ({ world, registered }, text) => {
    const form = { grant_type: 'client_credentials' };
    return (
      (await new Agent().post(`${world.issuer}/token`, { form, headers: basicOf(registered, text) })).status === 200
    );
  },
  'a refresh token': token((text) => ({ grant_type: 'refresh_token', refresh_token: text })),
  'an authorization code': token((code) => ({ grant_type: 'authorization_code', code, redirect_uri: RP_CALLBACK })),
  'a device code': token((text) => ({ grant_type: DEVICE_GRANT, device_code: text })),
  'a backchannel request': token((text) => ({ grant_type: CIBA_GRANT, auth_req_id: text })),
};

/** Attempts with cookies. @param signed true for a thief who has the keys of the cookies as well */
export function withCookies(signed: boolean): Readonly<Record<string, Attempt>> {
  return {
    'the cookie of a session': async ({ world }, text) => {
      const url = `${world.issuer}/auth?${new URLSearchParams({ client_id: 'account', response_type: 'none', scope: 'openid', redirect_uri: `${world.issuer}/account/signed-in`, prompt: 'none' })}`;
      const { location } = await new Agent().get(url, { headers: cookie('_session', text, signed) });
      return location.includes('/account/signed-in') && !location.includes('error=');
    },
    'the cookie of an interaction': async ({ world }, text) => {
      const url = `${world.issuer}/interaction/${encodeURIComponent(text)}/password`;
      return (await new Agent().get(url, { headers: cookie('_interaction', text, signed) })).status === 200;
    },
    'the cookie that resumes': async ({ world }, text) => {
      const url = `${world.issuer}/auth/${encodeURIComponent(text)}`;
      const { location } = await new Agent().get(url, { headers: cookie('_interaction_resume', text, signed) });
      return location !== '';
    },
  };
}

function cookie(name: string, value: string, signed: boolean): Record<string, string> {
  if (!/^[\w.~-]+$/.test(value)) return {};
  const pair = `${name}=${value}`;
  const signature = createHmac('sha1', `${COOKIE_KEYS[0]}`).update(pair).digest('base64url');
  return { cookie: signed ? `${pair}; ${name}.sig=${signature}` : pair };
}

/** Tries each string as each credential. @returns the credentials that the server has accepted */
export async function acceptedOf(
  site: StoreTheft,
  texts: Iterable<string>,
  attempts: Readonly<Record<string, Attempt>>,
): Promise<string[]> {
  const accepted = new Set<string>();
  for (const text of texts) {
    const tried = Object.entries(attempts).map(async ([name, attempt]) => {
      if (await attempt(site, text)) accepted.add(name);
    });
    await Promise.all(tried);
  }
  return [...accepted].sort();
}
