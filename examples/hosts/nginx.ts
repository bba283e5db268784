/** The provider behind nginx, which terminates TLS: `node --import ts-blank-space/register examples/hosts/nginx.ts` */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needNginx, startNginx } from '../nginx.ts';
import { announce, asProgram, fromEnvironment, type Host, type HostOptions, type StartHost } from './host.ts';
import { start as startKoa } from './koa.ts';

/** Its port is the one of nginx; the host behind takes any that is free. */
export interface ProxiedOptions extends HostOptions {
  readonly host?: StartHost;
  /** The address of a load balancer in front of nginx, which says in `X-Real-IP` who asks. */
  readonly loadBalancer?: string;
}

export interface ProxiedHost extends Host {
  /** The self-signed certificate, for clients to trust. */
  readonly certificateFile: string;
}

export async function start({ host: startHost = startKoa, ...options }: ProxiedOptions): Promise<ProxiedHost> {
  needNginx();
  const folder = await mkdtemp(join(tmpdir(), 'qr-login-nginx-'));
  const host = await startHost({ ...options, port: 0, proxy: true });
  try {
    await makeCertificate(folder);
    const nginx = await startNginx(folder, virtualHost(options, host.server.address() as AddressInfo));
    return {
      ...host,
      certificateFile: join(folder, 'certificate.pem'),
      stop: async () => {
        // The streams first, so that their last words get through.
        await host.stop();
        await nginx.stop();
        await rm(folder, { recursive: true });
      },
    };
  } catch (error) {
    await host.stop();
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** There is no `proxy_buffering off`: event streams ask for that themselves, with `X-Accel-Buffering`. */
function virtualHost({ port, loadBalancer }: ProxiedOptions, { address, family, port: behind }: AddressInfo): string {
  const upstream = `${family === 'IPv6' ? `[${address}]` : address}:${behind}`;
  const realIp = loadBalancer === undefined ? '' : `set_real_ip_from ${loadBalancer};`;
  return `
      ${realIp}

      server {
        listen localhost:${port} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;

        location / {
          proxy_pass http://${upstream};
          proxy_set_header Host $http_host;

          # The provider believes these three (provider.proxy): whatever a client says in them is replaced.
          proxy_set_header X-Forwarded-Host $http_host;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-For $remote_addr;
        }
      }
  `;
}

async function makeCertificate(folder: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '30'];
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...subject, '-out', 'certificate.pem'], {
    cwd: folder,
  });
}

await asProgram(import.meta.url, async () => {
  const { options } = await fromEnvironment('https', 3443);
  const host = await start(options);
  announce(`${options.issuer} is beside ${new URL('/hello', options.issuer)}; trust ${host.certificateFile}`);
  return host.stop;
});
