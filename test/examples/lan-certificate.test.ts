import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { certificateFor, fetchTrusting } from '../../examples/lan-certificate.ts';
import { makeRp, rpClient } from '../../examples/rp.ts';
import { Agent } from '../support/agent.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { makeExampleProvider } from './example-setting.ts';

const ADDRESS = '127.0.0.1';
const secret = 'a secret that only the demo RP knows';

describe('the certificate for the local network', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lan-certificate-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, with a key that only its owner can read', () => {
    const first = certificateFor(ADDRESS, folder);
    expect(first?.cert.toString()).to.include('BEGIN CERTIFICATE');
    expect(certificateFor(ADDRESS, folder)).to.deep.equal(first);
    expect(statSync(join(folder, `lan-${ADDRESS}.key`)).mode & 0o077).to.equal(0);
  });

  it('is not made if there is no openssl', () => {
    const { PATH } = process.env;
    process.env.PATH = folder;
    try {
      expect(certificateFor(ADDRESS, folder)).to.equal(undefined);
    } finally {
      process.env.PATH = PATH;
    }
  });

  it('lets the demo app, and no other program, reach the provider over https', async () => {
    const certificate = certificateFor(ADDRESS, folder);
    if (certificate === undefined) throw new Error('this test needs openssl');
    let provider: Server | undefined;
    let rp: RunningServer | undefined;
    try {
      const server = createServer(certificate);
      provider = server;
      server.listen(0, ADDRESS);
      await once(server, 'listening');
      const issuer = `https://${ADDRESS}:${(server.address() as AddressInfo).port}`;
      const send = fetchTrusting(certificate);
      rp = await serve(async (url) => {
        const { app } = await makeExampleProvider({ issuer, clients: [rpClient({ url, secret })], fetch: send });
        server.on('request', app.callback());
        return { app: makeRp({ issuer, url, secret, fetch: send }) };
      });
      const sent = await new Agent().get(`${rp.origin}/login`);
      expect(sent.location.startsWith(`${issuer}/auth?`)).to.equal(true);
      expect((await send(`${issuer}/`)).status).to.equal(200);
      const refused = await fetch(`${issuer}/`).catch((error: Error) => error.cause);
      expect(refused)
        .to.have.property('code')
        .that.matches(/SELF_SIGNED|UNABLE_TO_VERIFY/);
    } finally {
      await rp?.stop();
      provider?.closeAllConnections();
      provider?.close();
    }
  });
});
