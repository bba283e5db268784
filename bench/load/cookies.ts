interface Cookie {
  readonly value: string;
  readonly path: string;
}

/** The cookies of one simulated user, stored by name and path as browsers do. */
export class Cookies {
  readonly #cookies = new Map<string, Cookie>();

  /** Stores the cookies that an answer sets. @param head the head of the answer */
  take(head: string): void {
    for (const [, name = '', value = '', rest = ''] of head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)([^\r]*)/gi)) {
      const path = /; ?path=([^;]+)/i.exec(rest)?.[1] ?? '/';
      const key = `${name} ${path}`;
      if (value === '') this.#cookies.delete(key);
      else this.#cookies.set(key, { value, path });
    }
  }

  /** Deletes all cookies except those with a name that starts with `prefix`, as if the session had ended. */
  forgetAllBut(prefix: string): void {
    for (const key of this.#cookies.keys()) {
      if (!key.startsWith(prefix)) this.#cookies.delete(key);
    }
  }

  /** Returns the value of the `Cookie` header for this path. */
  headerFor(path: string): string {
    const sent: string[] = [];
    for (const [key, cookie] of this.#cookies) {
      if (covers(cookie.path, path)) sent.push(`${key.slice(0, key.indexOf(' '))}=${cookie.value}`);
    }
    return sent.join('; ');
  }
}

/** Returns true if the request path matches the cookie path (RFC 6265, section 5.1.4). */
function covers(cookiePath: string, path: string): boolean {
  const [asked = ''] = path.split('?');
  return asked === cookiePath || asked.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
