/**
 * Starts a real nginx in front of nodes, with default proxying: nodes in turn, buffered answers, and a read time-out of
 * a minute.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import { LOOPBACK } from './server.ts';

const NGINX = process.env.NGINX_PATH ?? '/usr/sbin/nginx';

export interface NginxOptions {
  readonly port: number;
  /** The ports of the nodes. */
  readonly nodes: readonly number[];
  /** Directives that differ from the defaults, for example `proxy_read_timeout 20s;`. */
  readonly special?: string;
}

export interface Nginx {
  readonly origin: string;
  readonly stop: () => Promise<void>;
}

export async function startBalancer({ port, nodes, special = '' }: NginxOptions): Promise<Nginx> {
  if (!existsSync(NGINX)) throw new Error(`${NGINX} is missing. Install: sudo apt-get install nginx-light`);
  const folder = await mkdtemp(join(tmpdir(), 'qr-login-nginx-'));
  const clean = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const http = `
      upstream nodes { ${nodes.map((node) => `server ${LOOPBACK}:${node};`).join(' ')} }
      server {
        listen localhost:${port};
        ${special}
        location / {
          proxy_pass http://nodes;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-Host $http_host;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-For $remote_addr;
        }
      }
  `;
  try {
    await writeFile(join(folder, 'nginx.conf'), inOneProcess(http));
    // nginx logs to standard error, but a Child becomes ready by a line on standard output.
    const shell = ['/bin/sh', '-c', 'exec "$0" "$@" 2>&1'];
    const nginx = await Child.start('nginx', [...shell, NGINX, '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
      // nginx listens already when it logs this.
      ready: /using the "\w+" event method/,
    });
    const stop = (): Promise<void> => nginx.end('SIGTERM').then(clean);
    return { origin: `http://localhost:${port}`, stop };
  } catch (error) {
    await clean();
    throw error;
  }
}

/**
 * Returns a configuration without worker processes, which would outlive a killed nginx. All files are in its own
 * folder.
 */
function inOneProcess(http: string): string {
  return `
    daemon off;
    master_process off;
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
      ${http}
    }
  `;
}
