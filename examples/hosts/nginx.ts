/** The provider behind nginx, which terminates TLS: `node --import ts-blank-space/register examples/hosts/nginx.ts` */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { announce, asProgram, fromEnvironment, type Host, type HostOptions, type StartHost } from './host.ts';
import { start as startKoa } from './koa.ts';

const NGINX = process.env.NGINX_PATH ?? '/usr/sbin/nginx';

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
  if (!existsSync(NGINX)) throw new Error(`${NGINX} is missing. Install: sudo apt-get install nginx-light`);
  const folder = await mkdtemp(join(tmpdir(), 'qr-login-nginx-'));
  const host = await startHost({ ...options, port: 0, proxy: true });
  try {
    await makeCertificate(folder);
    await writeFile(join(folder, 'nginx.conf'), nginxConf(options, host.server.address() as AddressInfo));
    const stopNginx = await startNginx(folder);
    return {
      ...host,
      certificateFile: join(folder, 'certificate.pem'),
      stop: async () => {
        // The streams first, so that their last words get through.
        await host.stop();
        await stopNginx();
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
function nginxConf({ port, loadBalancer }: ProxiedOptions, { address, family, port: behind }: AddressInfo): string {
  const upstream = `${family === 'IPv6' ? `[${address}]` : address}:${behind}`;
  const realIp = loadBalancer === undefined ? '' : `set_real_ip_from ${loadBalancer};`;
  return `
    daemon off;
    pid nginx.pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      client_body_temp_path body;
      proxy_temp_path proxy;
      fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi;
      scgi_temp_path scgi;
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

/** Ready once its workers start, as it listens by then. */
async function startNginx(folder: string): Promise<() => Promise<void>> {
  // Started as root, nginx works as somebody else, who must get at its temporary files.
  await chmod(folder, 0o711);
  const nginx = spawn(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(nginx, 'exit');
  const kill = (): boolean => nginx.kill();
  process.once('exit', kill);

  const said: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    const lines = createInterface(nginx.stderr);
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('start worker process ')) resolve();
    });
    lines.on('close', () => reject(new Error(`nginx does not start:\n${said.join('\n')}`)));
  });
  await ready;

  return async () => {
    process.off('exit', kill);
    kill();
    await exited;
  };
}

await asProgram(import.meta.url, async () => {
  const { options } = await fromEnvironment('https', 3443);
  const host = await start(options);
  announce(`${options.issuer} is beside ${new URL('/hello', options.issuer)}; trust ${host.certificateFile}`);
  return host.stop;
});
