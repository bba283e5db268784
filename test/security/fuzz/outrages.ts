/** Makes requests that `fetch` refuses to send: invalid ones, contradictory ones, and ones damaged in transit. */
import fc, { type Arbitrary } from 'fast-check';
import type { Secrets } from './requests.ts';
import { CANARY } from './values.ts';

const JSON_TYPE = 'content-type: application/json';

/** Returns the bytes of each invalid request, with a name for its fault. */
export function outrages(
  base: string,
  { uid, code, id, csrf, phoneCookies, browserCookies }: Secrets,
): [string, Buffer][] {
  const at = `${base}/interaction/${uid}`;
  const cookie = (jar: Readonly<Record<string, string>>): string =>
    `cookie: ${Object.entries(jar)
      .map((pair) => pair.join('='))
      .join('; ')}`;
  const [browser, phone] = [cookie(browserCookies), cookie(phoneCookies)];
  const body = `{"csrf":"${csrf}","decision":"${CANARY}"}`;
  const post = (...lines: string[]): string =>
    [`POST ${base}/qr/tickets/${id} HTTP/1.1`, 'host: x', phone, JSON_TYPE, ...lines].join('\r\n');
  const get = (line: string, ...lines: string[]): string => [line, 'host: x', browser, ...lines, '', ''].join('\r\n');
  const raw: [string, string | Buffer][] = [
    ['nothing but line ends', '\r\n\r\n\r\n\r\n'],
    ['no HTTP', `${CANARY}\r\n\r\n`],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/0.9', `GET ${at}\r\n\r\n`],
    ['HTTP/1.0', `GET ${at} HTTP/1.0\r\n\r\n`],
    ['HTTP/9.9', get(`GET ${at} HTTP/9.9`)],
    ['no host', `GET ${at} HTTP/1.1\r\n\r\n`],
    ['two hosts', get(`GET ${at} HTTP/1.1`, `host: ${CANARY}`, 'connection: close')],
    ['an absolute URL', get(`GET http://${CANARY}.example${at}/qr HTTP/1.1`, 'connection: close')],
    ['a URL of another scheme', get(`GET ${CANARY}://x/ HTTP/1.1`, 'connection: close')],
    ['an empty authority', get(`GET http://:@:99999${at} HTTP/1.1`, 'connection: close')],
    ['two slashes', get(`GET //${CANARY}.example/${at} HTTP/1.1`, 'connection: close')],
    ['an asterisk', get('OPTIONS * HTTP/1.1', 'connection: close')],
    ['a tunnel', get(`CONNECT ${CANARY}.example:443 HTTP/1.1`)],
    ['a trace', get(`TRACE ${at} HTTP/1.1`, 'connection: close')],
    ['control characters in the path', get(`GET ${at}/\u0001\u007f HTTP/1.1`)],
    ['a null byte in the path', get(`GET ${at}\u0000/qr HTTP/1.1`)],
    ['dots and slashes', get(`GET ${base}/qr/assets/..%2f..%2f..%2fpackage.json HTTP/1.1`, 'connection: close')],
    ['plain dots and slashes', get(`GET ${base}/qr/assets/../../../package.json HTTP/1.1`, 'connection: close')],
    ['a fragment', get(`GET ${at}#${CANARY} HTTP/1.1`, 'connection: close')],
    ['a path of 20,000 letters', get(`GET ${base}/qr/${code.repeat(435)} HTTP/1.1`, 'connection: close')],
    ['a path of 14,000 letters', get(`GET ${base}/qr/${code.repeat(304)} HTTP/1.1`, 'connection: close')],
    ['a hundred thousand letters in a header', get(`GET ${at} HTTP/1.1`, `x: ${'x'.repeat(100_000)}`)],
    ['three thousand headers', get(`GET ${at} HTTP/1.1`, ...Array.from({ length: 3_000 }, (_, n) => `x${n}: 1`))],
    [
      'three hundred cookies',
      get(`GET ${at} HTTP/1.1`, `cookie: ${'_interaction=x; '.repeat(300)}`, 'connection: close'),
    ],
    ['a folded header', get(`GET ${at} HTTP/1.1`, 'x: 1', ` ${CANARY}`, 'connection: close')],
    ['a header without a name', get(`GET ${at} HTTP/1.1`, ': 1')],
    ['a header with a line end in the middle', get(`GET ${at} HTTP/1.1`, 'x: a\rb')],
    ['a header that is not ASCII', get(`GET ${at} HTTP/1.1`, 'accept-language: \u00ff\u00fe', 'connection: close')],
    ['two lengths', `${post('content-length: 5', `content-length: ${body.length}`)}\r\n\r\n${body}`],
    ['a length and chunks', `${post(`content-length: ${body.length}`, 'transfer-encoding: chunked')}\r\n\r\n0\r\n\r\n`],
    ['a negative length', `${post('content-length: -1')}\r\n\r\n${body}`],
    ['a length that is no number', `${post('content-length: 1e3')}\r\n\r\n${body}`],
    ['a length of thirty digits', `${post(`content-length: ${'9'.repeat(30)}`)}\r\n\r\n${body}`],
    ['a length of which only a part is sent', `${post('content-length: 4000')}\r\n\r\n${body}`],
    ['a length of a gigabyte', `${post('content-length: 1073741824')}\r\n\r\n${body}`],
    ['chunks with an invalid size', `${post('transfer-encoding: chunked')}\r\n\r\n${CANARY}\r\n`],
    ['chunks without a last chunk', `${post('transfer-encoding: chunked')}\r\n\r\n5\r\n{"a":\r\n`],
    [
      'chunks beyond the limit',
      `${post('transfer-encoding: chunked')}\r\n\r\n2000\r\n${'x'.repeat(0x2000)}\r\n0\r\n\r\n`,
    ],
    ['chunks after chunks', `${post('transfer-encoding: chunked, chunked')}\r\n\r\n0\r\n\r\n`],
    ['an unknown transfer coding', `${post(`transfer-encoding: ${CANARY}`)}\r\n\r\n`],
    [
      'a body that is not compressed as declared',
      `${post('content-encoding: gzip', 'content-length: 4', 'connection: close')}\r\n\r\nabcd`,
    ],
    ['an expectation', `${post(`expect: ${CANARY}`, 'content-length: 0', 'connection: close')}\r\n\r\n`],
    ['an upgrade', get(`GET ${at} HTTP/1.1`, 'connection: upgrade', 'upgrade: websocket')],
    ['many requests at once', get(`GET ${at}/qr HTTP/1.1`).repeat(50)],
    ['a second request in the body', `${post('content-length: 5')}\r\n\r\n${get(`GET ${at} HTTP/1.1`)}`],
  ];
  return raw.map(([what, bytes]) => [what, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes]);
}

/** A change of the bytes of a request in transit. */
export interface Damage {
  readonly way: 'cut' | 'flip' | 'leave out' | 'insert' | 'repeat';
  readonly at: number;
  readonly bytes: Uint8Array;
}

export const damages: Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    way: fc.constantFrom('cut', 'flip', 'leave out', 'insert', 'repeat'),
    at: fc.nat({ max: 1_000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 4 },
);

export function damage(bytes: Buffer, damages: readonly Damage[]): Buffer {
  return damages.reduce((before, { way, at: anywhere, bytes: noise }) => {
    const at = anywhere % Math.max(1, before.length);
    const [head, tail] = [before.subarray(0, at), before.subarray(at)];
    if (way === 'cut') return head;
    if (way === 'insert') return Buffer.concat([head, noise, tail]);
    if (way === 'leave out') return Buffer.concat([head, tail.subarray(noise.length)]);
    if (way === 'repeat') return Buffer.concat([before, tail]);
    return Buffer.concat([
      head,
      Buffer.from(tail.subarray(0, 1).map((byte) => byte ^ (noise[0] ?? 1))),
      tail.subarray(1),
    ]);
  }, bytes);
}
