/** The real one in front of nodes: all of it as by default, so in turn, buffered, and with a minute of patience. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needNginx, startNginx } from '../../examples/nginx.ts';
import { LOOPBACK } from './server.ts';

export interface NginxOptions {
  readonly port: number;
  /** Where its nodes listen. */
  readonly nodes: readonly number[];
  /** What is not as by default: `proxy_read_timeout 20s;`. */
  readonly special?: string;
}

export interface Nginx {
  readonly origin: string;
  readonly stop: () => Promise<void>;
}

export async function startBalancer({ port, nodes, special = '' }: NginxOptions): Promise<Nginx> {
  needNginx();
  const folder = await mkdtemp(join(tmpdir(), 'qr-login-nginx-'));
  const clean = (): Promise<void> => rm(folder, { recursive: true });
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
    const nginx = await startNginx(folder, http);
    const stop = (): Promise<void> => nginx.stop().then(clean);
    return { origin: `http://localhost:${port}`, stop };
  } catch (error) {
    await clean();
    throw error;
  }
}
