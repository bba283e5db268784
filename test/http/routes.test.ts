import { request } from 'node:http';
import { expect } from 'chai';
import { CODE_LENGTH, ID_LENGTH } from '../support/codes.ts';
import { type BrowserPerson, type PhonePerson, World } from '../support/world.ts';

const GARBAGE = [
  '%',
  '%ff',
  '%00',
  '%2e%2e',
  '%2F',
  '%E0%A4%A',
  '..%5c',
  'constructor',
  '__proto__',
  '%F0%9F%98%80',
  'x'.repeat(4000),
];

describe('a request that no page sends', () => {
  let world: World;
  let browser: BrowserPerson;
  let phone: PhonePerson;

  before(async () => {
    world = await World.start();
    ({ browser, phone } = await world.meet());
    await phone.scan(await browser.code());
  });

  after(() => world?.stop());

  /** Sends the path unchanged, which `fetch` would normalize. @returns status and body */
  const send = (method: string, path: string, cookie: string, accept: string): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const headers = {
        cookie,
        accept,
        ...(method === 'POST' && {
          'content-type': accept === 'text/html' ? 'application/x-www-form-urlencoded' : accept,
        }),
      };
      const sent = request(world.origin, { method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve([response.statusCode ?? 0, text]));
      });
      sent.on('error', reject);
      sent.end(method === 'POST' && accept !== 'text/html' ? '{}' : '');
    });

  it('gets an error of 400 to 404 if the URL is made up, with and without a session', async () => {
    const { expiresIn: _before, ...before } = await browser.ticket();
    const cookies = [
      '',
      await browser.agent.jar.getCookieString(browser.at),
      await phone.agent.jar.getCookieString(phone.at),
    ];
    for (const garbage of GARBAGE) {
      const paths: [string, string][] = [
        ['GET', `/interaction/${garbage}`],
        ['GET', `/interaction/${garbage}/qr`],
        ['GET', `/interaction/${garbage}/qr/events`],
        ['POST', `/interaction/${garbage}/qr/renew`],
        ['POST', `/interaction/${garbage}/qr/finish`],
        ['POST', `/interaction/${garbage}/consent`],
        ['POST', `/interaction/${garbage}/cancel`],
        ['GET', `/qr/${garbage}`],
        ['POST', `/qr/${garbage}`],
        ['GET', `/qr/tickets/${garbage}`],
        ['POST', `/qr/tickets/${garbage}`],
        ['GET', `/qr/assets/${garbage}`],
      ];
      for (const [method, path] of paths) {
        for (const cookie of cookies) {
          const where = `${method} ${path.slice(0, 60)}`;
          const [asJson, json] = await send(method, path, cookie, 'application/json');
          expect(asJson, `${where} ${json}`).to.be.within(400, 404);
          expect(json, where).to.match(/^\{"error":"\w+","error_description":".+"\}$/);
          // These URLs of the ticket are for scripts only, so they have no error page.
          if (/\/qr(\/events)?$/.test(path)) continue;
          const [asPage, page] = await send(method, path, cookie, 'text/html');
          expect(asPage, where).to.equal(asJson);
          expect(page, where).to.match(/^<!doctype html>/i);
        }
      }
    }
    const { expiresIn: _after, ...after } = await browser.ticket();
    expect(after).to.deep.equal(before);
  });

  it('gets the answer for an unknown code if one character of a valid code differs', async () => {
    const other = await world.meet('bob');
    const code = await other.browser.code();
    const at = code.length - CODE_LENGTH;
    // The first and last characters of the two parts of the id (place and random bits), and of the MAC.
    for (const index of [0, 2, 3, ID_LENGTH - 1, ID_LENGTH, CODE_LENGTH - 2, CODE_LENGTH - 1]) {
      const position = at + index;
      const forged = `${code.slice(0, position)}${code[position] === 'A' ? 'B' : 'A'}${code.slice(position + 1)}`;
      expect((await other.phone.land(forged)).status, forged).to.equal(404);
    }
    for (const forged of [code.slice(0, -1), `${code}A`, `${code}=`, `${code}%00`, `${code}.`]) {
      expect((await other.phone.land(forged)).status, forged).to.equal(404);
    }
    expect((await other.browser.ticket()).state).to.equal('waiting');
  });

  it('is refused if "after" is not a version', async () => {
    const wrong = ['abc', '-1', '1.5', '', '1e3', ' 1', '9'.repeat(10), '9'.repeat(5000), '1%00', '%F0%9F%98%80'];
    for (const query of [...wrong.map((after) => `after=${after}`), 'after=1&after=2', 'after=1&after=1']) {
      const answer = await browser.agent.get(`${browser.at}/qr?${query}`);
      expect(answer.status, query.slice(0, 40)).to.equal(400);
      expect(answer.json()).to.have.all.keys('error', 'error_description');
    }
  });

  it('gets the usual answer if only its query is strange', async () => {
    for (const query of [
      '%',
      '%ff',
      'a[b]=c',
      '__proto__=1',
      'x='.repeat(1500),
      'uid=other&uid=another',
      '?'.repeat(99),
    ]) {
      expect((await browser.agent.get(`${browser.at}/qr?${query}`)).json().state).to.equal('scanned');
      expect((await phone.agent.get(`${phone.at}?${query}`)).status).to.equal(200);
    }
  });

  it('is refused with another method', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      for (const [url, agent] of [
        [browser.at, browser.agent],
        [`${browser.at}/qr`, browser.agent],
        [`${browser.at}/qr/finish`, browser.agent],
        [phone.at, phone.agent],
      ] as const) {
        expect((await agent.send(url, { method, json: {} })).status).to.be.within(400, 405);
      }
    }
    expect((await browser.ticket()).state).to.equal('scanned');
  });
});
