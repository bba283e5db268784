/**
 * Builds every URL of the plugin from the issuer. No part of a request is used, so a forged `Host` cannot lead a user
 * to another site (RFC 9700, section 4.13).
 */
export class Urls {
  readonly origin: string;
  /** The provider's mount path: the path of the issuer, without a slash at its end. */
  readonly base: string;

  constructor(issuer: string) {
    const { origin, pathname } = new URL(issuer);
    this.origin = origin;
    this.base = pathname.replace(/\/$/, '');
  }

  /** The page of an interaction. oidc-provider scopes the interaction cookie to it. */
  interaction(uid: string): string {
    return `${this.base}/interaction/${uid}`;
  }

  /** The browser's requests for a passkey of its own. */
  browserPasskey(uid: string): string {
    return `${this.interaction(uid)}/qr/new-passkey`;
  }

  /** The path that the cookie with the browser's memory is scoped to. */
  get interactions(): string {
    return `${this.base}/interaction`;
  }

  /** The path above all of the phone's URLs. */
  get phone(): string {
    return `${this.base}/qr`;
  }

  landing(code: string): string {
    return `${this.phone}/${code}`;
  }

  /** The page that lists the browsers that an account is signed in to. */
  get devices(): string {
    return `${this.phone}/devices`;
  }

  ticket(id: string): string {
    return `${this.phone}/tickets/${id}`;
  }

  /** The page to which a notification leads: on it, a phone opens a request that waits for its account (CIBA). */
  request(id: string): string {
    return `${this.phone}/requests/${id}`;
  }

  /** The ticket as an app gets it. */
  apiTicket(id: string): string {
    return `${this.phone}/api/tickets/${id}`;
  }

  /** The page that shows the code of an action. The cookie of the action is scoped to this path. */
  action(id: string): string {
    return `${this.phone}/actions/${id}`;
  }

  /** The path above the pages of actions. */
  get actions(): string {
    return `${this.phone}/actions`;
  }

  /** The page on which a phone scans or types the code of another screen. */
  get scan(): string {
    return `${this.phone}/scan`;
  }

  get manifest(): string {
    return `${this.phone}/manifest.webmanifest`;
  }

  asset(name: string, version: string): string {
    return `${this.phone}/assets/${name}?v=${version}`;
  }

  /**
   * Returns the URL of a client's picture.
   * @param client the client's id, in base64url
   * @param proof a MAC of the client's id, which shows that the plugin has made this URL
   */
  logo(client: string, proof: string, version: string): string {
    return `${this.phone}/logos/${client}?s=${proof}&v=${version}`;
  }

  /** Returns the whole URL, as a QR code needs it. */
  absolute(path: string): string {
    return this.origin + path;
  }

  /** Returns the URL without its scheme, for users who type it: browsers add the scheme. */
  withoutScheme(path: string): string {
    return new URL(this.origin).host + path;
  }
}
