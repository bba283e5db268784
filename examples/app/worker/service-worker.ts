/**
 * The service worker: it keeps a copy of the app's own files, so that the app opens without a connection. It never
 * touches requests to the provider, and stores no data of the user.
 */

/** The list of the app's files. The build puts this constant in front of this script. */
declare const SHELL: {
  /** Changes with each file of the app. */
  readonly version: string;
  readonly files: readonly string[];
};

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
const cacheName = `app-${SHELL.version}`;

worker.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(SHELL.files))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  // Every page of the app is the same document.
  const wanted = request.mode === 'navigate' ? '/' : pathname;
  event.respondWith(caches.match(wanted, { cacheName }).then((copy) => copy ?? fetch(request)));
});
