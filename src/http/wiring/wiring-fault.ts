/**
 * A mistake in how the plugin is built into the provider or into its host. It is found at the first request, because
 * the provider does not show its configuration, and the host does not show its routes. The message says what to do.
 */
export class WiringFault extends Error {
  override readonly name = 'WiringFault';
  /** The part of the setup that is wrong. Each part is reported once. */
  readonly part: WiredPart;

  constructor(part: WiredPart, message: string) {
    super(message);
    this.part = part;
    // The stack would say where the fault was noticed, not where it is.
    this.stack = `${this.name}: ${message}`;
  }
}

type WiredPart = 'url' | 'policy' | 'page' | 'mount' | 'cookies' | 'proxy';

/**
 * Returns true unless the deployment runs in production. Pages say what is wrong with the wiring only if this is true.
 */
export function isInDevelopment(): boolean {
  return process.env.NODE_ENV !== 'production';
}

const SETTINGS = 'interactions: { policy: qr.policy, url: qr.interactionUrl }';

export function foreignUrl(): WiringFault {
  return new WiringFault(
    'url',
    `interactions.url of the provider is not qr.interactionUrl, so browsers get no QR page: set ${SETTINGS} in the configuration of the provider`,
  );
}

export function foreignPolicy(): WiringFault {
  return new WiringFault(
    'policy',
    `interactions.policy of the provider is not qr.policy, so users cannot consent on the phone: set ${SETTINGS} in the configuration of the provider; your own prompts can be added to qr.policy`,
  );
}

/**
 * Returns the fault of a host that answers the page itself.
 * @param path the path of the interaction page, as the browser asked for it
 */
export function otherRoute(path: string): WiringFault {
  return new WiringFault(
    'page',
    `a route of your app has answered GET ${path} in place of the QR page: remove your old route GET /interaction/:uid, or what catches all paths in front of the provider; serve your sign-in form at /interaction/:uid/password, where the option loginPage sends phones and the option otherWays offers it beside the code`,
  );
}

/**
 * Returns the fault of a host that does not pass the page to the provider.
 * @param path the path of the interaction page, as the browser asked for it
 */
export function notReached(path: string, base: string): WiringFault {
  return new WiringFault(
    'page',
    `GET ${path}, the QR page, did not reach the provider and got a 404: let your app pass every path below ${base || '/'} to the provider, not only some`,
  );
}

export function wrongMount(mounted: string, issuer: string, base: string): WiringFault {
  return new WiringFault(
    'mount',
    `the provider is mounted at ${mounted || '/'}, but the path of its issuer ${issuer} is ${base || '/'}: mount it at ${base || '/'}, or change the issuer to ${withPath(issuer, mounted)}`,
  );
}

/** Returns the fault of a provider below two mounts. @param inner the only mount that oidc-provider sees */
export function nestedMount(mounted: string, inner: string, issuer: string): WiringFault {
  return new WiringFault(
    'mount',
    `the provider is below two mounts of koa-mount and sees only the inner one, ${inner}: mount it once, at ${mounted}, with the issuer ${withPath(issuer, mounted)}`,
  );
}

export function unsignedCookies(): WiringFault {
  return new WiringFault(
    'cookies',
    'the provider does not sign the cookie of an interaction, so its QR page would not open: remove "signed: false" from cookies.short in the configuration of the provider',
  );
}

export function plainHttp(issuer: string): WiringFault {
  return new WiringFault(
    'proxy',
    `the issuer is ${issuer}, but requests seem to come over http:, so oidc-provider sends browsers and phones to http: addresses; behind a proxy, set provider.proxy = true (and app.proxy = true on a Koa app around the provider) and let the proxy send X-Forwarded-Proto: https; without a proxy, serve https or change the issuer to http:`,
  );
}

function withPath(issuer: string, path: string): string {
  return new URL(issuer).origin + path;
}
