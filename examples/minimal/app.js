import { createServer } from 'node:http';
import * as client from 'openid-client';

const url = 'http://localhost:3001';
const issuer = new URL('http://localhost:3000');
const execute = [client.allowInsecureRequests];
const config = await client.discovery(issuer, 'demo', 'a secret of the app', undefined, { execute });
// This app serves one browser at a time. A real one keeps these two in the user's session.
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();

createServer(async (request, response) => {
  const here = new URL(`${request.url}`, url);
  if (here.pathname === '/callback') {
    const tokens = await client.authorizationCodeGrant(config, here, { pkceCodeVerifier, expectedState });
    response.end(`Signed in: ${JSON.stringify(tokens.claims(), null, 2)}`);
    return;
  }
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
  const pkce = { code_challenge, code_challenge_method: 'S256' };
  const wanted = { redirect_uri: `${url}/callback`, scope: 'openid', state: expectedState, ...pkce };
  response.writeHead(303, { location: client.buildAuthorizationUrl(config, wanted).href }).end();
}).listen(3001, () => console.log(`Open ${url}`));
