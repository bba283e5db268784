/** The cookies of one simulated person, kept by name and path as browsers do. */
interface Cookie {
  readonly value: string;
  readonly path: string;
}

export class Cookies {
  readonly #cookies = new Map<string, Cookie>();

  /** @param head of an answer */
  take(head: string): void {
    for (const [, name = '', value = '', rest = ''] of head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)([^\r]*)/gi)) {
      const path = /; ?path=([^;]+)/i.exec(rest)?.[1] ?? '/';
      const key = `${name} ${path}`;
      if (value === '') this.#cookies.delete(key);
      else this.#cookies.set(key, { value, path });
    }
  }

  /** Forgets all but those whose name begins so: the others are of a session that has ended meanwhile, for example. */
  forgetAllBut(prefix: string): void {
    for (const key of this.#cookies.keys()) {
      if (!key.startsWith(prefix)) this.#cookies.delete(key);
    }
  }

  /** The `Cookie` header for this path. */
  for(path: string): string {
    const sent: string[] = [];
    for (const [key, cookie] of this.#cookies) {
      if (covers(cookie.path, path)) sent.push(`${key.slice(0, key.indexOf(' '))}=${cookie.value}`);
    }
    return sent.join('; ');
  }
}

/** RFC 6265, section 5.1.4. */
function covers(cookiePath: string, path: string): boolean {
  const [asked = ''] = path.split('?');
  return asked === cookiePath || asked.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
