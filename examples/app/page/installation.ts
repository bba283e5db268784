/** Lets the user install the app when the browser offers it, and registers the service worker that keeps its files. */

/**
 * The event with which the browser offers to install the app (W3C Manifest Incubations, section 2). TypeScript's DOM
 * types lack it.
 */
interface InstallEvent extends Event {
  readonly prompt: () => Promise<unknown>;
}

/** TypeScript's DOM types lack Trusted Types as well (W3C Trusted Types, section 2.3). */
interface TrustedTypes {
  readonly createPolicy: (name: string, rules: object) => { readonly createScriptURL: (url: string) => string };
}

const WORKER = '/service-worker.js';

export class Installation {
  #offer: InstallEvent | undefined;

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.#offer = event as InstallEvent;
    });
  }

  /** True if the browser would install the app now. */
  get isOffered(): boolean {
    return this.#offer !== undefined;
  }

  async ask(): Promise<void> {
    await this.#offer?.prompt();
    this.#offer = undefined;
  }

  /** Registers the service worker. Without it the app works as long as there is a connection. */
  async keepFiles(): Promise<void> {
    const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
    // The page's policy allows text as the address of a script only through this Trusted Types policy, which knows only
    // one address.
    const policy = trustedTypes?.createPolicy('app', { createScriptURL: () => WORKER });
    await navigator.serviceWorker?.register(policy?.createScriptURL(WORKER) ?? WORKER).catch(() => undefined);
  }
}
