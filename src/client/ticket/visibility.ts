/** Tells when the page is hidden, visible again, or woken. */

/** A hidden page closes its connection after this time, because a browser has only six to a host (HTTP/1.1). */
const HIDDEN_FOR_MS = 5_000;

/** Calls back once the page has been hidden for a while. @returns a function that stops watching the page */
export function whenHidden(act: () => void): () => void {
  let timer = 0;
  const look = (): void => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') timer = setTimeout(act, HIDDEN_FOR_MS);
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

/** Resolves when the page is visible, or when `until` is aborted. */
export function whenVisible(until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.visibilityState === 'hidden' && !until.aborted) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    until.addEventListener('abort', look);
    look();
  });
}

/** Calls back whenever the page may have lost its connection without an error: after a sleep, or in another network. */
export function whenWoken(act: () => void, until: AbortSignal): void {
  const options = { signal: until };
  addEventListener('online', act, options);
  addEventListener('focus', act, options);
  addEventListener('pageshow', act, options);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && act(), options);
}
