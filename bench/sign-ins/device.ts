/** A person's browser or phone: the headers that Chromium sends, and the cookies that it keeps. */
import type { Answer, Site } from './connection.ts';
import { EventStream } from './event-stream.ts';

/** What a device says of itself, in every request. */
export type Kind = 'desktop' | 'phone';

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0';
const OF_ITSELF: Readonly<Record<Kind, string>> = {
  desktop: selfDescription(`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`, '?0', 'Windows'),
  phone: selfDescription(`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, '?1', 'Android'),
};

function selfDescription(userAgent: string, mobile: string, platform: string): string {
  return [
    'Connection: keep-alive',
    'sec-ch-ua: "Chromium";v="150", "Google Chrome";v="150", "Not)A;Brand";v="24"',
    `sec-ch-ua-mobile: ${mobile}`,
    `sec-ch-ua-platform: "${platform}"`,
    `User-Agent: ${userAgent}`,
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-US,en;q=0.9,de;q=0.8',
    '',
  ].join('\r\n');
}

const PAGE =
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n' +
  'Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n';
const SCRIPT = 'Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n';

/** Where the page that leads somewhere is. */
export type From = 'none' | 'same-origin' | 'cross-site';

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** Addresses of 20.0.0.0/8, one after the other: limits and hints go by them. */
let people = 0;

function nextAddress(): string {
  people += 1;
  return `20.${(people >> 16) & 255}.${(people >> 8) & 255}.${people & 255}`;
}

export class Device {
  readonly #site: Site;
  readonly #always: string;
  #cookies: Cookie[] = [];

  constructor(site: Site, kind: Kind) {
    this.#site = site;
    this.#always = `Host: ${new URL(site.origin).host}\r\nX-Forwarded-For: ${nextAddress()}\r\n${OF_ITSELF[kind]}`;
  }

  /** Opens a page. */
  open(path: string, from: From): Promise<Answer> {
    return this.#ask(path, this.#request('GET', path, `${PAGE}Sec-Fetch-Site: ${from}\r\nSec-Fetch-User: ?1\r\n`));
  }

  /** Sends a form of the page at this path. */
  submit(path: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const body = new URLSearchParams(fields).toString();
    const head = `${PAGE}Sec-Fetch-Site: same-origin\r\nCache-Control: max-age=0\r\n${this.#sends('application/x-www-form-urlencoded', body)}`;
    return this.#ask(path, this.#request('POST', path, head) + body);
  }

  /** As a page's script sends an object. */
  post(path: string, object: Readonly<Record<string, string>>): Promise<Answer> {
    const body = JSON.stringify(object);
    const head = `Accept: application/json\r\n${SCRIPT}${this.#sends('application/json', body)}`;
    return this.#ask(path, this.#request('POST', path, head) + body);
  }

  /** The request of a page's script that asks for an object. */
  pollOf(path: string): string {
    return this.#request('GET', path, `Accept: application/json\r\nCache-Control: no-cache\r\n${SCRIPT}`);
  }

  listen(path: string): EventStream {
    const request = this.#request('GET', path, `Accept: text/event-stream\r\nCache-Control: no-cache\r\n${SCRIPT}`);
    return new EventStream(this.#site.server.port, request);
  }

  /** Forgets all cookies but those whose name begins so: its session, for example, has ended meanwhile. */
  forgetAllBut(prefix: string): void {
    this.#cookies = this.#cookies.filter(({ name }) => name.startsWith(prefix));
  }

  async #ask(path: string, request: string): Promise<Answer> {
    const answer = await this.#site.server.ask(request);
    for (const line of answer.cookies) this.#keep(line, path);
    return answer;
  }

  #request(method: string, path: string, headers: string): string {
    const cookies = this.#cookies.filter((cookie) => path.startsWith(cookie.path));
    // Those for the longest path first (RFC 6265, section 5.4).
    cookies.sort((one, other) => other.path.length - one.path.length);
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    return `${method} ${path} HTTP/1.1\r\n${this.#always}${headers}${cookie && `Cookie: ${cookie}\r\n`}\r\n`;
  }

  #sends(type: string, body: string): string {
    return `Origin: ${this.#site.origin}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n`;
  }

  #keep(line: string, requested: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? requested;
    this.#cookies = this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
    // What is taken away is sent empty.
    if (value !== '') this.#cookies.push({ name, value, path });
  }
}
