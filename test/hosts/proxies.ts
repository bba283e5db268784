/** Starts HAProxy, Apache or Caddy in front of the provider, with the configuration of docs/hosts.md. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertInstalled, startChild } from '../../examples/cluster/children.ts';
import * as koa from '../../examples/hosts/koa.ts';
import { assessByAddress } from '../support/assess-by-address.ts';
import { docPage } from '../support/doc-pages.ts';
import { makeCertificate } from './bare.ts';
import { onlyOnce, optionsFor, trusting, type VisitedHost } from './hosts.ts';

interface Proxy {
  readonly program: string;
  readonly debianPackage: string;
  /** The language of the proxy's block in docs/hosts.md. */
  readonly language: string;
  readonly parameters: readonly string[];
  readonly ready: RegExp;
  /** Returns the whole configuration. */
  readonly wrap: (site: string, folder: string) => string;
}

const APACHE_MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'ssl', 'headers'];

export const PROXIES: Readonly<Record<string, Proxy>> = {
  HAProxy: {
    program: '/usr/sbin/haproxy',
    debianPackage: 'haproxy',
    language: 'haproxy',
    parameters: ['-W', '-db', '-f', 'configuration'],
    ready: /Loading success/,
    wrap: (site) => site,
  },
  Apache: {
    program: '/usr/sbin/apache2',
    debianPackage: 'apache2-bin',
    language: 'apache',
    parameters: ['-D', 'FOREGROUND', '-f', 'configuration', '-d', '.'],
    ready: /resuming normal operations/,
    wrap: (site, folder) =>
      [
        `ServerRoot ${folder}`,
        'ServerName localhost',
        `PidFile ${folder}/apache.pid`,
        `DefaultRuntimeDir ${folder}`,
        // Apache cannot open its standard error by name if it is a socket.
        'ErrorLog "|/bin/cat"',
        'LogLevel notice',
        ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
        ...APACHE_MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
        site,
      ].join('\n'),
  },
  Caddy: {
    program: '/usr/bin/caddy',
    debianPackage: 'caddy',
    language: 'caddy',
    parameters: ['run', '--adapter', 'caddyfile', '--config', 'configuration'],
    ready: /serving initial configuration/,
    wrap: (site) => `{\n  admin off\n  auto_https off\n  skip_install_trust\n}\n${site}`,
  },
};

export async function startBehindProxy(name: string, path: string): Promise<VisitedHost> {
  const proxy = PROXIES[name];
  if (proxy === undefined) throw new Error(`there is no proxy ${name}`);
  assertInstalled(proxy.program, proxy.debianPackage);
  const { site, options } = await optionsFor('https', path);
  const folder = await mkdtemp(join(tmpdir(), 'qr-login-proxy-'));
  const host = await koa.start({ ...options, port: 0, proxy: true, qrLogin: { assess: assessByAddress } });
  const cleanUp = async (): Promise<void> => {
    await host.stop();
    await rm(folder, { recursive: true });
  };
  try {
    const { key, cert } = makeCertificate();
    await writeFile(join(folder, 'certificate.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key);
    await writeFile(join(folder, 'both.pem'), cert + key);
    await mkdir(join(folder, 'home'));
    const configuration = proxy.wrap(siteOf(proxy, host.server.address() as AddressInfo, options.port), folder);
    await writeFile(join(folder, 'configuration'), configuration);
    const { stop } = await startChild(proxy.program, proxy.parameters, {
      cwd: folder,
      env: { ...process.env, HOME: join(folder, 'home'), XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      ready: proxy.ready,
    });
    const network = trusting(await readFile(join(folder, 'certificate.pem'), 'utf8'));
    const end = async (): Promise<void> => {
      await stop();
      await cleanUp();
    };
    return { ...site, network, stop: onlyOnce(end) };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Returns the configuration of docs/hosts.md for this proxy, with the ports and the host name of the test. */
function siteOf({ language }: Proxy, { address, family, port }: AddressInfo, proxyPort: number): string {
  const code = docPage('docs/hosts.md').blocks.find((block) => block.language === language)?.code;
  if (code === undefined) throw new Error(`docs/hosts.md has no block for ${language}`);
  const upstream = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  return code
    .replaceAll('127.0.0.1:3000', upstream)
    .replaceAll('id.example.com', `localhost`)
    .replaceAll('443', `${proxyPort}`);
}
