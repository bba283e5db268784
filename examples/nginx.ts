/** Debian's nginx as a child of an example: in a folder of its own, and without the system's configuration. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, need, startChild } from './children.ts';

const NGINX = process.env.NGINX_PATH ?? '/usr/sbin/nginx';

export function needNginx(): void {
  need(NGINX, 'nginx-light');
}

/**
 * @param http what is inside `http { … }`; file names in it are relative to the folder
 * @param onTrouble told of warnings and worse
 */
export async function startNginx(folder: string, http: string, onTrouble?: (line: string) => void): Promise<Child> {
  await writeFile(join(folder, 'nginx.conf'), nginxConf(http));
  // Started as root, nginx works as somebody else, who must get at its temporary files.
  await chmod(folder, 0o711);
  return startChild(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    // It listens by then.
    ready: /start worker process /,
    onLine: (line) => {
      if (!/\[(info|notice)\]/.test(line)) onTrouble?.(line);
    },
  });
}

function nginxConf(http: string): string {
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
      ${http}
    }
  `;
}
