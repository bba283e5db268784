/**
 * Runs the provider behind nginx, which terminates TLS:
 * `node --import ts-blank-space/register examples/hosts/nginx.ts`
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assertNginxInstalled, startNginx } from '../cluster/nginx.ts';
import { announce, type Host, type HostOptions, readEnvironment, runAsProgram, type StartHost } from './host.ts';
import { start as startKoa } from './koa.ts';

/** Options of a host behind nginx. `port` is the port of nginx; the host takes any free one. */
export interface ProxiedOptions extends HostOptions {
  readonly host?: StartHost;
  /** The address of a load balancer in front of nginx, which sends the client's address in `X-Real-IP`. */
  readonly loadBalancer?: string;
}

export interface ProxiedHost extends Host {
  /** The self-signed certificate, for clients to trust. */
  readonly certificateFile: string;
}

export async function start({ host: startHost = startKoa, ...options }: ProxiedOptions): Promise<ProxiedHost> {
  assertNginxInstalled();
  const folder = await mkdtemp(join(tmpdir(), 'qr-login-nginx-'));
  const host = await startHost({ ...options, port: 0, proxy: true });
  try {
    await makeCertificate(folder);
    const nginx = await startNginx(folder, virtualHost(options, host.server.address() as AddressInfo));
    return {
      ...host,
      certificateFile: join(folder, 'certificate.pem'),
      stop: async () => {
        // Stop the host first, so that the last messages of its event streams still pass through nginx.
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

/**
 * Returns the configuration of nginx. It needs no `proxy_buffering off`: event streams send `X-Accel-Buffering: no`.
 */
function virtualHost(
  { issuer, port, loadBalancer }: ProxiedOptions,
  { address, family, port: hostPort }: AddressInfo,
): string {
  const upstream = `${family === 'IPv6' ? `[${address}]` : address}:${hostPort}`;
  const realIp = loadBalancer === undefined ? '' : `set_real_ip_from ${loadBalancer};`;
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  return `
      ${realIp}

      # A flood ends here, before it costs the provider anything. The limits are wider than those of the provider. A
      # request with an empty key is not counted: with prompt=none it starts no interaction, and for event streams and
      # long polls the provider has a limit.
      map "$uri $arg_prompt" $starts {
        default "";
        "~^${base}/auth none$" "";
        "~^${base}/(auth|device) " $binary_remote_addr;
      }
      map $uri $acts {
        default "";
        "~^${base}/qr/assets/" "";
        "~^${base}/interaction/[^/]+/qr(/events)?$" "";
        "~^${base}/(interaction|qr)/" $binary_remote_addr;
      }
      limit_req_zone $starts zone=starts:10m rate=10r/s;
      limit_req_zone $acts zone=acts:10m rate=20r/s;
      limit_req_status 429;

      server {
        listen localhost:${port} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;

        location / {
          limit_req zone=starts burst=240 nodelay;
          limit_req zone=acts burst=480 nodelay;

          proxy_pass http://${upstream};
          proxy_set_header Host $http_host;

          # The provider trusts these three headers (provider.proxy), so the values that a client sends are replaced.
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

await runAsProgram(import.meta.url, async () => {
  const { options } = await readEnvironment('https', 3443);
  const host = await start(options);
  announce(`${options.issuer} is beside ${new URL('/hello', options.issuer)}; trust ${host.certificateFile}`);
  return host.stop;
});
