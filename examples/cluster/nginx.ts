/** Runs Debian's nginx for an example, in a folder of its own and without the system's configuration. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertInstalled, type Child, startChild } from './children.ts';

const NGINX = process.env.NGINX_PATH ?? '/usr/sbin/nginx';

export function assertNginxInstalled(): void {
  assertInstalled(NGINX, 'nginx-light');
}

/**
 * Starts nginx.
 * @param http the content of `http { … }`; file names in it are relative to the folder
 * @param onTrouble called with each line of the error log with level warn or higher
 */
export async function startNginx(folder: string, http: string, onTrouble?: (line: string) => void): Promise<Child> {
  await writeFile(join(folder, 'nginx.conf'), nginxConf(http));
  // If root starts nginx, its workers run as another user, which needs access to the temporary files.
  await chmod(folder, 0o711);
  return startChild(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    // nginx listens before it starts its workers.
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
