/**
 * Every URL of the plugin. They are built from the issuer and from nothing that a request says, so that a forged `Host`
 * leads nobody astray (RFC 9700, section 4.13).
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

  /** What oidc-provider scopes the interaction cookie to. */
  interaction(uid: string): string {
    return `${this.base}/interaction/${uid}`;
  }

  /** The path below which a browser brings its memory along. */
  get interactions(): string {
    return `${this.base}/interaction`;
  }

  /** What all of the phone's URLs lie below. */
  get phone(): string {
    return `${this.base}/qr`;
  }

  landing(code: string): string {
    return `${this.phone}/${code}`;
  }

  /** The browsers that an account is signed in to. */
  get devices(): string {
    return `${this.phone}/devices`;
  }

  ticket(id: string): string {
    return `${this.phone}/tickets/${id}`;
  }

  /** Where a phone scans or types what another screen shows. */
  get scan(): string {
    return `${this.phone}/scan`;
  }

  get manifest(): string {
    return `${this.phone}/manifest.webmanifest`;
  }

  asset(name: string, version: string): string {
    return `${this.phone}/assets/${name}?v=${version}`;
  }

  /** The whole address, as a QR code needs it. */
  absolute(path: string): string {
    return this.origin + path;
  }

  /** The same for people who type it: browsers know the scheme. */
  typed(path: string): string {
    return new URL(this.origin).host + path;
  }
}
