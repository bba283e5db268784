/**
 * The provider beside a Next.js 16 app, with a custom server. In a folder of its own: `npm install` and `npx next
 * build` there, then `startNext(provider, qr, { path: '/oidc', port: 3000 })`.
 */
import { createServer } from 'node:http';
import next from 'next';

export async function startNext(provider, qr, { path, port }) {
  const app = next({ dir: import.meta.dirname });
  await app.prepare();
  const handle = provider.callback();
  const handleByNext = app.getRequestHandler();
  const server = createServer((request, response) => {
    const originalUrl = request.url ?? '/';
    if (!originalUrl.startsWith(`${path}/`)) return handleByNext(request, response);
    // This is what Express does: `url` is the part below the path, and the provider derives the path from
    // `originalUrl`.
    Object.assign(request, { originalUrl, url: originalUrl.slice(path.length) });
    return handle(request, response);
  });
  await new Promise((resolve) => server.listen(port, 'localhost', resolve));
  return {
    server,
    stop: async () => {
      // End the event streams first, because they keep the server open.
      await qr.close();
      server.close();
      await app.close();
    },
  };
}
