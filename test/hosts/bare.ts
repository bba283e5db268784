/** Runs the provider on the servers of Node itself, without a framework. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as undici from 'undici';
import { mountPath } from '../../examples/hosts/host.ts';
import { makeExample } from '../../examples/provider.ts';
import { onlyOnce, optionsFor, type VisitedHost } from './hosts.ts';

type Handle = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

interface BareServer {
  readonly scheme: 'http' | 'https';
  readonly create: (certificate: Certificate, handle: Handle) => http.Server | https.Server | http2.Http2SecureServer;
  /** True if the visitors speak HTTP/2. */
  readonly allowH2: boolean;
}

export const BARE_SERVERS: Readonly<Record<string, BareServer>> = {
  'node:http': { scheme: 'http', create: (_, handle) => http.createServer(handle), allowH2: false },
  'node:https': { scheme: 'https', create: https.createServer, allowH2: false },
  'node:http2': {
    scheme: 'https',
    create: (certificate, handle) =>
      http2.createSecureServer(certificate, (request, response) =>
        handle(request as unknown as http.IncomingMessage, response as unknown as http.ServerResponse),
      ),
    allowH2: true,
  },
};

export async function startBare(name: string, path: string): Promise<VisitedHost> {
  const { scheme, create, allowH2 } = BARE_SERVERS[name] ?? missing(name);
  const { site, options } = await optionsFor(scheme, path);
  const { provider, qr } = makeExample(options);
  const base = mountPath(options.issuer).replace(/\/$/, '');
  const callback = provider.callback();
  const certificate = makeCertificate();

  const server = create(certificate, (request, response) => {
    const originalUrl = request.url ?? '/';
    if (originalUrl === '/hello' || !originalUrl.startsWith(`${base}/`)) {
      response.end(`Hello from ${name}`);
      return;
    }
    // This is what Express does: `url` is the part below the mount path, and the provider derives the path from
    // `originalUrl`.
    Object.assign(request, { originalUrl, url: originalUrl.slice(base.length) });
    void callback(request, response);
  });
  server.listen(options.port, 'localhost');
  await once(server, 'listening');

  const dispatcher = new undici.Agent({ connect: { ca: certificate.cert }, allowH2 });
  const visit = (url: undici.RequestInfo, init?: undici.RequestInit): Promise<undici.Response> =>
    undici.fetch(url, { ...init, dispatcher });
  const stop = async (): Promise<void> => {
    await qr.close();
    const closed = once(server, 'close');
    server.close();
    await dispatcher.destroy();
    await closed;
  };
  return { ...site, network: visit as unknown as typeof fetch, stop: onlyOnce(stop) };
}

function missing(name: string): never {
  throw new Error(`there is no server ${name}`);
}

/** Makes a self-signed certificate for localhost. */
export function makeCertificate(): Certificate {
  const cwd = mkdtempSync(join(tmpdir(), 'qr-login-certificate-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-out', 'certificate.pem'];
  try {
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-days', '30'], { cwd, stdio: 'ignore' });
    const read = (file: string): string => readFileSync(join(cwd, file), 'utf8');
    return { key: read('key.pem'), cert: read('certificate.pem') };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
