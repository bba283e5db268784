/** Serves a page on another site that attacks the provider through the browser of the page's visitor. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A host name other than the provider's makes this a different site. */
const HOST = '127.0.0.1';

export interface AttackSite {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * The attacks that need no click by the visitor. `tryEverything` waits for the end of each, except for prefetches and
 * beacons, which it only starts.
 */
const SCRIPT = `
  const got = [];
  const ended = (element) => new Promise((resolve) => { element.onload = element.onerror = () => resolve(); });
  const add = async (name, attributes) => {
    const element = Object.assign(document.createElement(name), attributes);
    const end = ended(element);
    document.body.append(element);
    await end;
    return element;
  };
  const tryFetch = async (url, options) => {
    const answer = await fetch(url, { credentials: 'include', ...options }).catch(() => undefined);
    const text = await answer?.text();
    if (text) got.push('read ' + url);
  };
  const post = async (url, fields) => {
    const frame = await add('iframe', { name: 'posted' + Math.random() });
    const form = Object.assign(document.createElement('form'), { method: 'post', action: url, target: frame.name });
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement('input'), { name, value }));
    }
    document.body.append(form);
    const end = ended(frame);
    form.submit();
    await end;
  };
  globalThis.tryEverything = async ({ looks, posts }) => {
    for (const url of looks) {
      await add('iframe', { src: url });
      await add('iframe', { src: url, sandbox: 'allow-scripts allow-forms allow-same-origin allow-top-navigation' });
      await add('object', { data: url });
      const image = await add('img', { src: url });
      if (image.naturalWidth) got.push('saw ' + url);
      await add('script', { src: url });
      await add('link', { rel: 'stylesheet', href: url });
      document.head.append(Object.assign(document.createElement('link'), { rel: 'prefetch', href: url }));
      await tryFetch(url, {});
      await tryFetch(url, { mode: 'no-cors' });
      await tryFetch(url, { headers: { accept: 'application/json' } });
      for (let frame = 0; frame < window.length; frame++) {
        try {
          if (window[frame].document.body.textContent) got.push('looked into ' + url);
        } catch {
          // The document of another site cannot be read, as it should be.
        }
      }
    }
    for (const { url, fields } of posts) {
      await post(url, fields);
      const body = new URLSearchParams(fields);
      await tryFetch(url, { method: 'POST', body, mode: 'no-cors' });
      await tryFetch(url, { method: 'POST', body });
      await tryFetch(url, { method: 'POST', body: JSON.stringify(fields), headers: { 'content-type': 'application/json' } });
      navigator.sendBeacon(url, body);
    }
    return got;
  };
`;

export async function startAttackSite(): Promise<AttackSite> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Win a prize</title><body><a id="link">Here</a><script>${SCRIPT}</script>`);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
