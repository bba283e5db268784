/**
 * The service worker of the phone's pages. It shows a notification for each message, and opens the request when the
 * user taps the notification. Its address has the texts, in the language of the page that has registered it.
 */

/** The parts of a service worker that this script uses. The types of pages do not have them. */
interface WorkerScope {
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { openWindow(url: string): Promise<unknown> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listen: (event: WorkerEvent) => void): void;
}

interface WorkerEvent {
  readonly data?: { json(): { readonly url?: unknown } } | null;
  readonly notification?: Notification;
  waitUntil(end: Promise<unknown>): void;
}

const scope = self as unknown as WorkerScope;
const texts = new URL(scope.location.href).searchParams;

/** Returns the address of a request below the scope of this worker; the list of requests for any other text. */
function addressIn(event: WorkerEvent): string {
  const base = new URL(scope.registration.scope);
  try {
    const url = new URL(`${event.data?.json().url}`, base);
    if (url.origin === base.origin && url.pathname.startsWith(`${base.pathname}requests/`)) return url.href;
  } catch {
    // It is no message of ours. A message must cause a notification, which then leads to the list.
  }
  return new URL('devices', base).href;
}

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));

scope.addEventListener('push', (event) => {
  const url = addressIn(event);
  const options = { body: texts.get('body') ?? '', tag: url, data: url, requireInteraction: true };
  event.waitUntil(scope.registration.showNotification(texts.get('title') ?? '', options));
});

scope.addEventListener('notificationclick', (event) => {
  event.notification?.close();
  event.waitUntil(scope.clients.openWindow(`${event.notification?.data}`));
});
