/** Turns a fuzzed request into the bytes that are sent. */
import type { FuzzRequest, Secrets } from './requests.ts';
import { readValue } from './requests.ts';
import type { Route } from './routes.ts';
import { applyChange } from './values.ts';

/** The cookies that prove who the sender is. If any one of them is missing or wrong, the others prove nothing. */
const NEEDED = {
  browser: ['_interaction', '_interaction.sig', '_qr_browser', '_qr_browser.sig'],
  phone: ['_session', '_session.sig'],
  action: ['_qr_browser', '_qr_browser.sig'],
};

/** @param credentials headers with the access token */
export function bytesOf(
  fuzzed: FuzzRequest,
  base: string,
  mine: Secrets,
  theirs: Secrets,
  credentials: readonly (readonly [string, string])[] = [],
): Buffer {
  const { body, type } = bodyOf(fuzzed, mine, theirs);
  const cookie = cookieOf(fuzzed, mine, theirs);
  const given = fuzzed.headers.filter(([, value]) => value !== '');
  const lines = [
    `${fuzzed.method} ${base}${pathOf(fuzzed, mine, theirs)} HTTP/1.1`,
    ...(given.some(([name]) => name === 'host') ? [] : ['host: localhost']),
    'connection: close',
    ...(cookie === '' ? [] : [`cookie: ${cookie}`]),
    ...(type === undefined ? [] : [`content-type: ${type}`]),
    ...(fuzzed.body.as === 'nothing' ? [] : [`content-length: ${body.length}`]),
    // Node ignores the second of two `Authorization` headers.
    ...[...credentials, ...given].map(([name, value]) => `${name}: ${oneLine(value)}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** Returns the path, with the query. */
export function pathOf({ route, segment, isEncoded, query }: FuzzRequest, mine: Secrets, theirs: Secrets): string {
  const value = readValue(segment, mine, theirs);
  const written = isEncoded ? encoded(value) : value.replace(/[\s#?]/g, '');
  const search = query.map(([name, text]) => `${encoded(name)}=${isEncoded ? encoded(text) : text.replace(/\s/g, '')}`);
  return route.path.replace(/:\w+/, () => written) + (search.length > 0 ? `?${search.join('&')}` : '');
}

function cookieOf({ route, cookies, moreCookies }: FuzzRequest, mine: Secrets, theirs: Secrets): string {
  const side = sideOf(route);
  const pairs = Object.entries(
    cookies.owner === 'none' ? {} : (cookies.owner === 'mine' ? mine : theirs)[`${side}Cookies`],
  );
  const broken = NEEDED[side][cookies.which % NEEDED[side].length];
  const sent = pairs.map(([name, value]) =>
    cookies.owner === 'theirs' && name === broken ? [name, applyChange(value, cookies.change)] : [name, value],
  );
  const more = moreCookies.map(([name, value]) => [name, oneLine(value).replace(/;/g, '')]);
  return [...sent, ...more].map((pair) => pair.join('=')).join('; ');
}

/** Returns the device whose cookies a route takes. A route of the API takes none, and must ignore them. */
function sideOf({ path, tokenOf }: Route): keyof typeof NEEDED {
  if (path.startsWith('/interaction')) return 'browser';
  return path.startsWith('/qr/actions') && tokenOf === undefined ? 'action' : 'phone';
}

function bodyOf({ body }: FuzzRequest, mine: Secrets, theirs: Secrets): { body: Buffer; type?: string } {
  if ('text' in body) return { body: Buffer.from(body.text), type: body.as };
  if (!('fields' in body)) return { body: Buffer.alloc(0) };
  const pairs = body.fields.map(([name, value]): [string, string] => [name, readValue(value, mine, theirs)]);
  if (body.as === 'form') {
    return { body: Buffer.from(`${new URLSearchParams(pairs)}`), type: 'application/x-www-form-urlencoded' };
  }
  // Build the JSON as text, because an object cannot have a name twice.
  const json = `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  return { body: Buffer.from(json), type: 'application/json' };
}

/** Removes characters that a header cannot hold. `outrages.ts` sends those as raw bytes. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}

function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}
