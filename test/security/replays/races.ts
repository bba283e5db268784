/**
 * Rows 36 and 37 of the table in docs/security.md: a DPoP proof, an assertion, an authorization code or a token
 * counts once if it is sent many times at the same time.
 */

import {
  type AdapterSite,
  assertionFor,
  CIBA_GRANT,
  DEVICE_GRANT,
  proofFor,
  request,
  tokensIn,
  type Visitor,
} from '../../reliability/adapter-site.ts';
import type { Answer } from '../../support/agent.ts';
import { CLIENT_ID } from '../../support/world.ts';

/** Gets a credential for one request. @returns the function that sends this request to a node */
type Obtain = (site: AdapterSite) => Promise<(node: number) => Promise<Answer>>;

/** Sends the same request to the nodes in turn, many times at the same time. @returns the answers that accepted it */
export async function acceptedOf(
  site: AdapterSite,
  times: number,
  send: (node: number) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers = await Promise.all(Array.from({ length: times }, (_, turn) => send(turn % site.size)));
  const odd = answers.find(({ status }) => status >= 500);
  if (odd !== undefined) throw new Error(`the provider failed: ${odd.text}`);
  return answers.filter(({ status }) => status === 200);
}

export const PROOFS: Readonly<Record<string, Obtain>> = {
  'one DPoP proof at the token endpoint': async (site) => {
    const dpop = await proofFor('POST', `${site.issuer}/token`);
    return (node) => site.ask(node, '/token', { grant_type: 'client_credentials' }, { dpop });
  },

  'one DPoP proof at the userinfo endpoint': async (site) => {
    const visitor = await signInVisitor(site);
    const dpop = await proofFor('POST', `${site.issuer}/token`);
    const { access } = tokensIn(await site.redeem(0, await visitor.code(), { dpop }));
    const proof = await proofFor('GET', `${site.issuer}/me`, access);
    return (node) => site.meWithProof(node, access, proof);
  },

  'one client assertion': async (site) => {
    const assertion = await assertionFor(site.issuer);
    return (node) => site.askAsService(node, assertion);
  },
};

const SINGLE_USE: Readonly<Record<string, Obtain>> = {
  'an authorization code': async (site) => {
    const code = await (await signInVisitor(site)).code();
    return (node) => site.redeem(node, code);
  },

  'a refresh token': async (site) => {
    const { refresh } = tokensIn(await site.redeem(0, await (await signInVisitor(site)).code()));
    return (node) => site.refresh(node, refresh);
  },

  'a device code': async (site) => {
    const visitor = await signInVisitor(site);
    // The device gets the grant that the user has given to the RP before.
    await visitor.code();
    const { device_code: code, user_code: userCode } = (
      await site.ask(0, '/device/auth', { scope: 'openid profile' })
    ).json();
    await visitor.confirmDevice(`${userCode}`);
    return (node) => site.ask(node, '/token', { grant_type: DEVICE_GRANT, device_code: `${code}` });
  },

  'a backchannel authentication': async (site) => {
    const asked = await site.ask(0, '/backchannel', { scope: 'openid', login_hint: 'alice' });
    const id = `${asked.json().auth_req_id}`;
    const { Grant } = site.provider(0);
    const grant = new Grant({ clientId: CLIENT_ID, accountId: 'a11ce' });
    grant.addOIDCScope('openid profile');
    await grant.save();
    await site.provider(0).backchannelResult(id, grant);
    return (node) => site.ask(node, '/token', { grant_type: CIBA_GRANT, auth_req_id: id });
  },
};

/** Uses a credential twice at the same time. @returns the winner's tokens that still work, which should be none */
export type Race = (site: AdapterSite) => Promise<readonly string[]>;

export const RACES: Readonly<Record<string, Race>> = Object.fromEntries(
  Object.entries(SINGLE_USE).map(([name, obtain]) => [name, (site: AdapterSite) => survivorsOf(site, obtain)]),
);

async function survivorsOf(site: AdapterSite, obtain: Obtain): Promise<readonly string[]> {
  const winners = await acceptedOf(site, 2, await obtain(site));
  const [winner] = winners;
  if (winner === undefined || winners.length > 1) throw new Error(`${winners.length} of 2 requests got tokens`);
  const { access, refresh } = tokensIn(winner);
  const [me, refreshed] = [await site.me(0, access), await site.refresh(site.size - 1, refresh)];
  const { active } = (await site.ask(0, '/token/introspection', { token: access })).json();
  return [
    ...(me.status === 200 ? ['the access token'] : []),
    ...(active === true ? ['the access token, at another resource server'] : []),
    ...(refreshed.status === 200 ? ['the refresh token'] : []),
  ];
}

/** Uses a pushed authorization request many times at the same time. @returns the number of authorization codes */
export async function usesOfPushedRequest(site: AdapterSite, times: number): Promise<number> {
  const visitor = await signInVisitor(site);
  // The user has given consent, so that the requests below are answered without a page.
  await visitor.code();
  const pushed = (await site.ask(0, '/request', request())).json();
  const reference = { client_id: CLIENT_ID, request_uri: `${pushed.request_uri}` };
  const path = `/auth?${new URLSearchParams(reference)}`;
  const answers = await Promise.all(
    Array.from({ length: times }, (_, turn) => {
      visitor.node = turn % site.size;
      return visitor.open(path);
    }),
  );
  const results = answers.map(({ location }) => new URL(location).searchParams);
  const odd = results.find((result) => !result.has('code') && result.get('error') !== 'invalid_request_uri');
  if (odd !== undefined) throw new Error(`the provider answered: ${odd}`);
  return results.filter((result) => result.has('code')).length;
}

async function signInVisitor(site: AdapterSite): Promise<Visitor> {
  const visitor = site.visitor();
  await visitor.signIn();
  return visitor;
}
