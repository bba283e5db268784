import { expect } from 'chai';
import { makeInitialAccessToken } from '../../../examples/provider.ts';
import { Agent } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { type Running, serve } from '../../support/server.ts';
import { BrowserVisitor } from '../../support/visitors.ts';
import { makeExampleProvider } from '../example-setting.ts';

const CALLBACK = 'com.example.other:/callback';
const RP = { id: 'rp', secret: 'a secret that only this RP knows', callback: 'http://localhost:1/callback' };

describe('an app that registers at the example provider', () => {
  let issuer: string;
  let served: Running;
  let initialAccessToken: string;

  before(async () => {
    const started = await serve(async (origin) => {
      const rp = { client_id: RP.id, client_secret: RP.secret, redirect_uris: [RP.callback] };
      const example = await makeExampleProvider({ issuer: origin, clients: [rp], qrLogin: { assess: () => 'allow' } });
      initialAccessToken = await makeInitialAccessToken(example.provider);
      return example;
    });
    served = started;
    issuer = started.origin;
  });

  after(() => served?.stop());

  const register = async (): Promise<AppPerson> => {
    const answer = await new Agent().post(`${issuer}/reg`, {
      headers: { authorization: `Bearer ${initialAccessToken}` },
      json: {
        client_name: 'My app',
        application_type: 'native',
        redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'none',
        dpop_bound_access_tokens: true,
        scope: 'openid qr_login',
      },
    });
    expect(answer.status, answer.text).to.equal(201);
    return new AppPerson({ issuer }, { clientId: `${answer.json().client_id}`, callback: CALLBACK });
  };

  it('approves sign-ins if its user grants it the scope qr_login', async () => {
    const app = await register();
    await app.signIn('alice', { scope: 'openid qr_login' });
    const browser = new BrowserVisitor({ issuer, client: RP });
    await browser.start();
    expect((await app.scan(await browser.code())).status).to.equal(201);
    expect((await app.approve()).json().state).to.equal('approved');
  });
});
