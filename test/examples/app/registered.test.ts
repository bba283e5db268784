import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { calculateJwkThumbprint, compactVerify, exportJWK, importJWK } from 'jose';
import { makeInitialAccessToken } from '../../../examples/provider.ts';
import { Agent } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { docPage } from '../../support/doc-pages.ts';
import { type RunningServer, serve } from '../../support/server.ts';
import { BrowserVisitor } from '../../support/visitors.ts';
import { ENVIRONMENT, ROOT } from '../example-program.ts';
import { makeExampleProvider } from '../example-setting.ts';

const CALLBACK = 'com.example.other:/callback';
const RP = { id: 'rp', secret: 'a secret that only this RP knows', callback: 'http://localhost:1/callback' };

const run = promisify(execFile);
const README = docPage('examples/app/README.md');

describe('an app that registers at the example provider', () => {
  let issuer: string;
  let served: RunningServer;
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

  it('can approve sign-ins if its user grants it the scope qr_login', async () => {
    const app = await register();
    await app.signIn('alice', { scope: 'openid qr_login' });
    const browser = new BrowserVisitor({ issuer, client: RP });
    await browser.start();
    expect((await app.scan(await browser.code())).status).to.equal(201);
    expect((await app.approve()).json().state).to.equal('approved');
  });

  it('scans and approves with the requests in the README, with a DPoP proof by the script there', async () => {
    const app = await register();
    await app.signIn('alice', { scope: 'openid qr_login' });
    const browser = new BrowserVisitor({ issuer, client: RP });
    await browser.start();
    const folder = mkdtempSync(join(tmpdir(), 'app-requests-'));
    try {
      writeFileSync(join(folder, 'key.json'), JSON.stringify(await exportJWK(app.key.privateKey)));
      copyFileSync(new URL('examples/app/proof.js', ROOT), join(folder, 'proof.js'));
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      const env = { ...ENVIRONMENT, ISSUER: issuer, TOKEN: app.accessToken, CODE: await browser.code() };
      const { stdout } = await run('bash', ['-euc', blockOf('requests')], { cwd: folder, env });
      expect(stdout).to.include('"state":"scanned"').and.include('"state":"approved"').and.include('"isHere":true');
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect((await browser.ticket()).state).to.equal('approved');
  });
});

describe('the DPoP proof in the README of the app', () => {
  it('matches its header and payload, and is signed with the key in the header', async () => {
    const [header, payload] = [JSON.parse(blockOf('header')), JSON.parse(blockOf('payload'))];
    const proof = blockOf('proof').replaceAll('\n', '');
    const verified = await compactVerify(proof, await importJWK(header.jwk, 'ES256'));
    expect(verified.protectedHeader).to.deep.equal(header);
    expect(JSON.parse(new TextDecoder().decode(verified.payload))).to.deep.equal(payload);
    const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    expect(proof.split('.').slice(0, 2)).to.deep.equal(parts);
    const [token = ''] = /Kz~\S+xU/.exec(README.text) ?? [];
    expect(payload.ath).to.equal(createHash('sha256').update(token).digest('base64url'));
    expect(README.text).to.include(await calculateJwkThumbprint(header.jwk));
  });
});

/** Returns the block of the README with this name. */
function blockOf(name: string): string {
  const block = README.blocks.find(({ file }) => file === name);
  if (block === undefined) throw new Error(`the README has no block "${name}"`);
  return block.code;
}
