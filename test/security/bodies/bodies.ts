/**
 * Row 25 of the table in docs/security.md: a malformed body changes nothing and breaks nothing.
 */
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { Attack } from '../attack.ts';
import { must, signInPhone } from '../pages/visits.ts';
import { quiet, readingAnything } from './lax.ts';
import { waitingAttacks } from './slow.ts';

interface Body {
  readonly name: string;
  readonly type?: string;
  readonly encoding?: string;
  /** Writes the fields that approve, but not as the server expects them. */
  readonly write: (csrf: string) => string | Buffer;
  /** Returns the bytes to send, and the header for their length. Default: the whole body, with its `Content-Length`. */
  readonly framing?: (body: Buffer) => { readonly headers: string; readonly body: Buffer };
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const form = (csrf: string): string => `csrf=${csrf}&decision=approve`;
const json = (csrf: string, more: object = {}): string => JSON.stringify({ csrf, decision: 'approve', ...more });
const bomb = (csrf: string): string => json(csrf, { more: '0'.repeat(4_000_000) });
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const BODIES: Body[] = [
  { name: 'JSON that is too long', write: (csrf) => json(csrf, { more: 'x'.repeat(100_000) }) },
  { name: 'a form that is too long', type: FORM, write: (csrf) => `${form(csrf)}&more=${'x'.repeat(100_000)}` },
  { name: 'a gzip bomb', encoding: 'gzip', write: (csrf) => gzipSync(bomb(csrf)) },
  { name: 'a deflate bomb', encoding: 'deflate', write: (csrf) => deflateSync(bomb(csrf)) },
  { name: 'a brotli bomb', encoding: 'br', write: (csrf) => brotliCompressSync(bomb(csrf)) },
  { name: 'a nested field', write: (csrf) => `{"csrf":"${csrf}","decision":"approve","more":${deep(500)}}` },
  { name: 'lists instead of texts', write: (csrf) => `{"csrf":["${csrf}"],"decision":["approve"]}` },
  { name: 'a list of one object', write: (csrf) => `[${json(csrf)}]` },
  { name: 'a field that is there twice', type: FORM, write: (csrf) => `decision=deny&${form(csrf)}` },
  { name: 'brackets in the name of a field', type: FORM, write: (csrf) => `csrf=${csrf}&decision[]=approve` },
  { name: 'all fields in __proto__', write: (csrf) => `{"__proto__":${json(csrf)}}` },
  { name: 'one field in __proto__', write: (csrf) => `{"csrf":"${csrf}","__proto__":{"decision":"approve"}}` },
  {
    name: 'a field in constructor.prototype',
    write: (csrf) => `{"csrf":"${csrf}","constructor":{"prototype":{"decision":"approve"}}}`,
  },
  { name: 'a form with a field in __proto__', type: FORM, write: (csrf) => `csrf=${csrf}&__proto__[decision]=approve` },
  { name: 'JSON that is declared as text', type: 'text/plain', write: json },
  { name: 'JSON that is declared as a form', type: FORM, write: json },
  { name: 'a form that is declared as JSON', write: form },
  {
    name: 'a multipart form',
    type: 'multipart/form-data; boundary=b',
    write: (csrf) => `--b\r\n"csrf" ${csrf}\r\n--b\r\n"decision" approve\r\n--b--`,
  },
  {
    name: 'a form that is not UTF-8',
    type: FORM,
    write: (csrf) => Buffer.from(`csrf=${csrf}&decision=approve\xff\xc0`, 'latin1'),
  },
  { name: 'UTF-16', type: `${JSON_TYPE}; charset=utf-16le`, write: (csrf) => Buffer.from(json(csrf), 'utf16le') },
  { name: 'JSON with more JSON behind it', write: (csrf) => `${json(csrf)}\u0000${json(csrf)}` },
  { name: 'JSON with a comment', write: (csrf) => `/**/${json(csrf)}` },
  {
    name: 'a body of half the announced length',
    write: json,
    framing: (body) => ({ headers: `content-length: ${body.length * 2}`, body }),
  },
  {
    name: 'chunks without a last chunk',
    write: json,
    framing: (body) => ({
      headers: 'transfer-encoding: chunked',
      body: Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]),
    }),
  },
  {
    name: 'a length that overflows 32 bits',
    write: json,
    framing: (body) => ({ headers: `content-length: ${2 ** 32 + body.length}`, body }),
  },
];

export const attacks: Attack[] = [...BODIES.map(approvingWith), ...waitingAttacks];

/** The attacker has the victim's session and CSRF token: only the body is wrong. */
function approvingWith(body: Body): Attack {
  return {
    row: 25,
    name: `approves with ${body.name}, or breaks the server with it`,
    on: quiet,
    without: { defence: 'strict parsing', options: readingAnything },
    run: async (site) => {
      const browser = new BrowserVisitor(site);
      await browser.start();
      const phone = await signInPhone(site);
      const { csrf } = must(await phone.scan(await browser.code()), 200).json();
      const status = await post(phone, site, body, `${csrf}`);
      const { state } = await browser.ticket();
      if (state !== 'scanned') return `${state}`;
      // A request that never ends may stay without an answer.
      if (status !== undefined && (status < 400 || status >= 500)) return `an answer with ${status}`;
      // A correct body approves, which proves that only the body was wrong.
      must(await phone.decide('approve'), 200);
      return undefined;
    },
  };
}

/** @returns the status; undefined if the server closed the connection without an answer */
async function post(phone: PhoneVisitor, site: Site, body: Body, csrf: string): Promise<number | undefined> {
  const { hostname, port, host } = new URL(site.issuer);
  const written = Buffer.from(body.write(csrf));
  const framed = body.framing?.(written) ?? { headers: `content-length: ${written.length}`, body: written };
  const head = [
    `POST ${new URL(phone.at).pathname} HTTP/1.1`,
    `host: ${host}`,
    'accept: application/json',
    'connection: close',
    `cookie: ${await phone.agent.jar.getCookieString(phone.at)}`,
    `content-type: ${body.type ?? JSON_TYPE}`,
    ...(body.encoding ? [`content-encoding: ${body.encoding}`] : []),
    framed.headers,
  ];
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    // A server that has answered may close the connection without reading the rest, which can be an error here.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
      resolve(status === undefined ? undefined : Number(status));
    });
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(framed.body);
    if (body.framing) socket.end();
  });
}
