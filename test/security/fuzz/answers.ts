/** The checks that every answer must pass, regardless of the request. */
import { expect } from 'chai';
import type { FuzzRequest } from './requests.ts';
import { PUBLIC_DESCRIPTION } from './routes.ts';
import { CANARY } from './values.ts';
import { headerOf, type WireAnswer } from './wire.ts';

const TYPES =
  /^(application\/json; charset=utf-8|text\/html; charset=utf-8|text\/event-stream; charset=utf-8|text\/plain; charset=utf-8|text\/css; charset=utf-8|image\/(svg\+xml|png)|application\/manifest\+json; charset=utf-8|(text|application)\/javascript; charset=utf-8)$/;

const ALLOWED_ORIGIN = 'access-control-allow-origin';

const MOST_BYTES = 128 * 1024;

export function expectDecent(answer: WireAnswer, { route }: FuzzRequest): void {
  const { status, body } = answer;
  expect(status, body).to.be.within(200, 499);
  expect(body.length).to.be.lessThan(MOST_BYTES);
  // The API allows the page of an app to read its answers, by repeating the page's origin.
  const headers = answer.headers.filter(([name]) => route.tokenOf === undefined || name !== ALLOWED_ORIGIN);
  expect(headers.flat().join('\n').toLowerCase(), 'the headers').not.to.include(CANARY);
  const type = headerOf(answer, 'content-type');
  if (type !== undefined) expect(type).to.match(TYPES);
  if (type?.startsWith('application/json') && body !== '') expect(JSON.parse(body)).to.be.an('object');
  // JSON may repeat the wrong part of the request, because browsers do not run JSON.
  if (type?.startsWith('text/html')) expect(body, 'the page').not.to.match(/<svg\/onload|<script>qz|' onerror=qz/);
  for (const [name, value] of headers) if (name === 'set-cookie') expectCookie(value);
}

/** Checks the headers of an answer that the plugin's own handlers sent. Other parts of the server set other headers. */
export function expectOurs(answer: WireAnswer, fuzzed: FuzzRequest): void {
  const { body } = answer;
  const policy = headerOf(answer, 'content-security-policy');
  expect(policy, `${answer.status} ${body}`).to.be.a('string').that.includes("default-src 'none'");
  expect(policy).to.include("frame-ancestors 'none'");
  expect(policy).not.to.match(/unsafe|\*|https?:/);
  expect(headerOf(answer, 'cache-control')).to.match(/no-store|no-cache|^public, max-age=31536000, immutable$/);
  expect(headerOf(answer, 'x-content-type-options')).to.equal('nosniff');
  expect(headerOf(answer, 'x-frame-options')).to.equal('DENY');
  expect(headerOf(answer, 'referrer-policy')).to.equal('same-origin');
  expect(headerOf(answer, 'cross-origin-resource-policy')).to.equal('same-origin');
  expect(headerOf(answer, 'access-control-allow-credentials')).to.equal(undefined);
  if (fuzzed.route.tokenOf !== undefined) expectOfApi(answer, fuzzed);
  else expect(headerOf(answer, ALLOWED_ORIGIN)).to.equal(undefined);
  if (headerOf(answer, 'content-type')?.startsWith('text/html')) {
    expect(body, 'the page repeats what was sent').not.to.include(CANARY);
  }
}

/** Checks an answer of the API: JSON or a stream, never a cookie, and a refusal unless the token is the sender's. */
function expectOfApi(answer: WireAnswer, fuzzed: FuzzRequest): void {
  const { status, body } = answer;
  expect(headerOf(answer, 'set-cookie'), body).to.equal(undefined);
  if (status !== 204 && status !== 304)
    expect(headerOf(answer, 'content-type'), body).to.match(/^(application\/json|text\/event-stream);/);
  if (status >= 400 && fuzzed.method !== 'HEAD') expect(JSON.parse(body)).to.have.property('error').that.is.a('string');
  const isPublic = fuzzed.route.path === PUBLIC_DESCRIPTION;
  if (!isPublic && fuzzed.authorization.owner !== 'mine') expect(status, body).to.be.within(400, 499);
  if (status === 401) expect(headerOf(answer, 'www-authenticate'), body).to.be.a('string');
}

/** Returns true if our code has sent the answer: Node could parse the request, and its URL and method are ours. */
export function isOurs({ route, method, segment, isEncoded }: FuzzRequest, answer: WireAnswer): boolean {
  // Node itself answers requests that it cannot parse, and those with an unknown `Expect` (417).
  if (headerOf(answer, 'date') === undefined || answer.status === 417) return false;
  const isMethod = method === route.method || (method === 'HEAD' && route.method === 'GET');
  return isMethod && isEncoded && !('text' in segment && segment.text === '');
}

function expectCookie(cookie: string): void {
  if (!cookie.startsWith('_qr_')) return;
  expect(cookie)
    .to.match(/; httponly/i)
    .and.to.match(/; samesite=lax/i)
    .and.to.match(/; path=\/\w/);
}
