import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Agent, Answer, RequestOptions } from '../../support/agent.ts';
import { type BrowserPerson, type PhonePerson, World } from '../../support/world.ts';

const JSON_BODY = { 'content-type': 'application/json', accept: 'application/json' };
const FORM_BODY = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };

/** Bodies that the plugin's pages never send, and the status that each must get. */
const BODIES: Record<string, [number, RequestOptions]> = {
  'a number': [400, { json: 7 }],
  'a text': [400, { json: 'approve' }],
  'an array': [400, { json: [{ decision: 'approve' }] }],
  null: [400, { json: null }],
  'JSON that stops in the middle': [400, { headers: JSON_BODY, body: '{"decision": "app' }],
  'JSON with a null byte': [400, { headers: JSON_BODY, body: '{"decision": "approve"}\u0000' }],
  'a field that is a number': [400, { json: { decision: 1, csrf: 1, checkCode: 1 } }],
  'a field that is an object': [400, { json: { decision: { approve: true }, csrf: {}, checkCode: {} } }],
  'a field that is an array': [400, { json: { decision: ['approve'], csrf: [], checkCode: ['123456'] } }],
  'a field that is null': [400, { json: { decision: null, csrf: null, checkCode: null } }],
  'a form field twice': [
    400,
    { headers: FORM_BODY, body: 'decision=deny&decision=approve&csrf=a&csrf=b&checkCode=1&checkCode=2' },
  ],
  'more than 4 KB of JSON': [413, { json: { decision: 'x'.repeat(5000) } }],
  'more than 4 KB of a form': [413, { headers: FORM_BODY, body: `checkCode=${'1'.repeat(5000)}` }],
  'plain text': [415, { headers: { 'content-type': 'text/plain' }, body: '{"decision":"approve"}' }],
  'a multipart form': [415, { headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: '--b--' }],
  'no type at all': [415, { headers: { 'content-type': '' }, body: 'decision=approve' }],
  'a type that is garbage': [415, { headers: { 'content-type': ';;;' }, body: 'decision=approve' }],
  'an unknown encoding': [415, { headers: { ...JSON_BODY, 'content-encoding': 'rot13' }, body: '{}' }],
  'wrongly declared as gzip': [400, { headers: { ...JSON_BODY, 'content-encoding': 'gzip' }, body: '{}' }],
};

describe('a body that the pages never send', () => {
  let world: World;
  let browser: BrowserPerson;
  let phone: PhonePerson;
  let code: string;

  before(async () => {
    world = await World.start();
    ({ browser, phone } = await world.meet());
    code = await browser.code();
    await phone.scan(code);
  });

  after(() => world?.stop());

  const urls = (): [string, Agent][] => [
    [`${browser.at}/qr/renew`, browser.agent],
    [`${browser.at}/qr/finish`, browser.agent],
    [`${browser.at}/consent`, browser.agent],
    [`${browser.at}/cancel`, browser.agent],
    [code, phone.agent],
    [phone.at, phone.agent],
  ];

  for (const [what, [status, sent]] of Object.entries(BODIES)) {
    it(`is answered with ${status} and changes nothing: ${what}`, async () => {
      const { expiresIn: _before, ...before } = await browser.ticket();
      for (const [url, agent] of urls()) {
        const answer = await agent.post(url, sent);
        expect(answer.status, url).to.equal(status);
        expectClear(answer);
      }
      const { expiresIn: _after, ...after } = await browser.ticket();
      expect(after).to.deep.equal(before);
    });
  }

  it('is answered with 400 if the decision is unknown or missing', async () => {
    for (const decision of ['', 'Approve', 'maybe', 'approve ', '__proto__']) {
      const answer = await phone.decide(decision);
      expect(answer.status).to.equal(400);
      expect(answer.json().error).to.equal('invalid_request');
    }
    expect((await phone.agent.post(phone.at, { json: { csrf: phone.csrf } })).status).to.equal(400);
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('cannot contain nested fields if it is a form', async () => {
    const body = `csrf=${phone.csrf}&decision[a]=approve&decision.b=approve&__proto__[decision]=approve`;
    expect((await phone.agent.post(phone.at, { headers: FORM_BODY, body })).status).to.equal(400);
    const nested = await phone.agent.post(phone.at, {
      headers: FORM_BODY,
      body: `csrf[]=${phone.csrf}&decision=approve`,
    });
    expect(nested.status).to.equal(403);
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('may be compressed, and is refused if it is too large after decompression', async () => {
    const compressions = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, GZIP: gzipSync };
    for (const [encoding, compress] of Object.entries(compressions)) {
      const headers = { ...JSON_BODY, 'content-encoding': encoding };
      const send = (fields: object): Promise<Answer> =>
        phone.agent.post(phone.at, { headers, body: Buffer.from(compress(JSON.stringify(fields))) });
      const answer = await send({ csrf: phone.csrf, decision: 'maybe' });
      expect(answer.status, encoding).to.equal(400);
      expect(answer.json().error_description).to.not.equal('The body cannot be read.');
      expect((await send({ csrf: phone.csrf, decision: '0'.repeat(100_000) })).status, encoding).to.equal(413);
    }
  });

  it('is accepted if it differs only by additional fields', async () => {
    const more = {
      csrf: phone.csrf,
      decision: 'approve',
      accountId: 'b0b',
      sub: 'b0b',
      constructor: 'x',
      toString: 'x',
    };
    const answer = await phone.agent.post(phone.at, { json: more });
    expect(answer.status).to.equal(200);
    const headers = { 'x-user': 'b0b', authorization: 'Bearer b0b' };
    const { redirectTo } = (await browser.agent.post(`${browser.at}/qr/finish`, { json: more, headers })).json();
    const arrived = await browser.arriveFrom(String(redirectTo));
    expect((await browser.tokens(arrived)).claims()?.sub).to.equal('a11ce');
  });
});

function expectClear({ headers, text, json }: Answer): void {
  if (headers.get('content-type')?.startsWith('application/json')) {
    expect(json()).to.have.all.keys('error', 'error_description');
  } else {
    expect(headers.get('content-type')).to.match(/^text\/html/);
    expect(text).to.match(/data-error="\w+"/);
  }
}
