/** Builds requests as Chromium 156 sends them, with the header that a proxy adds. All servers get the same requests. */

/** A server: its port, and the origin that its pages have. */
export interface Site {
  /** The issuer's origin, for `Host`, `Origin` and `Referer`. It is the same for all nodes. */
  readonly origin: string;
  readonly port: number;
}

/** The browser or phone that sends a request. */
export interface Sender {
  /** The client's address, as the proxy reports it. */
  readonly address: string;
  /** The value of the `Cookie` header. If it is empty, there is no such header. */
  readonly cookie: string;
  /** The value of `Sec-Fetch-Site` (Fetch Metadata). @default 'same-origin' */
  readonly from?: 'none' | 'same-origin' | 'cross-site';
}

const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const BRAND =
  'sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"';
const PAGE =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7';
const ENDING = 'Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9';

/** Returns the request of a browser that opens a page. */
export function pageRequest(site: Site, path: string, sender: Sender): string {
  return `GET ${path} HTTP/1.1
Host: ${hostOf(site)}
Connection: keep-alive
${BRAND}
Upgrade-Insecure-Requests: 1
User-Agent: ${USER_AGENT}
Accept: ${PAGE}
Sec-Fetch-Site: ${sender.from ?? 'same-origin'}
Sec-Fetch-Mode: navigate
Sec-Fetch-User: ?1
Sec-Fetch-Dest: document
${ENDING}
${identity(sender)}`.replace(/\r?\n/g, '\r\n');
}

/** Returns a GET request of a page's script, which accepts `text/event-stream` or `application/json`. */
export function scriptRequest(site: Site, path: string, { accept, ...sender }: Sender & { accept: string }): string {
  return `GET ${path} HTTP/1.1
Host: ${hostOf(site)}
Connection: keep-alive
Pragma: no-cache
Cache-Control: no-cache
sec-ch-ua-platform: "Linux"
User-Agent: ${USER_AGENT}
Accept: ${accept}
sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"
sec-ch-ua-mobile: ?0
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: ${site.origin}${path.replace(/\/qr.*/, '')}
${ENDING}
${identity(sender)}`.replace(/\r?\n/g, '\r\n');
}

/** Returns the request of a browser that submits a form. */
export function formRequest(site: Site, path: string, { fields, ...sender }: Sender & { fields: string }): string {
  return `POST ${path} HTTP/1.1
Host: ${hostOf(site)}
Connection: keep-alive
Content-Length: ${fields.length}
Cache-Control: max-age=0
${BRAND}
Upgrade-Insecure-Requests: 1
Content-Type: application/x-www-form-urlencoded
User-Agent: ${USER_AGENT}
Origin: ${site.origin}
Accept: ${PAGE}
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: navigate
Sec-Fetch-User: ?1
Sec-Fetch-Dest: document
Referer: ${site.origin}${path}
${ENDING}
${identity(sender)}`
    .replace(/\r?\n/g, '\r\n')
    .concat(fields);
}

/** Returns a POST request of a page's script, with an object as JSON. */
export function objectRequest(site: Site, path: string, { json, ...sender }: Sender & { json: string }): string {
  return `POST ${path} HTTP/1.1
Host: ${hostOf(site)}
Connection: keep-alive
Content-Length: ${json.length}
sec-ch-ua-platform: "Linux"
User-Agent: ${USER_AGENT}
Accept: application/json
sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"
Content-Type: application/json
sec-ch-ua-mobile: ?0
Origin: ${site.origin}
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: ${site.origin}${path.replace(/\/qr.*/, '')}
${ENDING}
${identity(sender)}`
    .replace(/\r?\n/g, '\r\n')
    .concat(json);
}

function hostOf({ origin }: Pick<Site, 'origin'>): string {
  return origin.replace('http://', '');
}

function identity({ address, cookie }: Sender): string {
  return `${cookie === '' ? '' : `Cookie: ${cookie}\n`}X-Forwarded-For: ${address}\n\n`;
}
