import { expect } from 'chai';
import type { Agent, Answer, RequestOptions } from '../../support/agent.ts';
import { PhonePerson, World } from '../../support/world.ts';

/** Headers that a browser adds to a request from a page of another site. */
const FOREIGN: Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
];

describe('a request that changes something', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  it('is refused at every URL if it comes from another site', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    const decision = { csrf: phone.csrf, decision: 'approve' };
    const acts: [string, Agent, Record<string, string>][] = [
      [`${browser.at}/qr/renew`, browser.agent, {}],
      [`${browser.at}/qr/finish`, browser.agent, {}],
      [`${browser.at}/consent`, browser.agent, {}],
      [`${browser.at}/cancel`, browser.agent, {}],
      [code, phone.agent, { csrf: phone.csrf }],
      [phone.at, phone.agent, decision],
      [`${world.issuer}/qr/devices`, phone.agent, { csrf: phone.csrf, end: 'all' }],
    ];
    const { expiresIn: _before, ...before } = await browser.ticket();
    for (const headers of FOREIGN) {
      for (const [url, agent, fields] of acts) {
        const script = await agent.post(url, { json: fields, headers });
        expect(script.status).to.equal(403);
        expect(script.json().error).to.equal('foreign_origin');
        const form = await agent.post(url, { form: fields, headers: { ...headers, accept: 'text/html' } });
        expect(form.status).to.equal(403);
        expect(form.text).to.include('data-error="foreign_origin"');
      }
    }
    const { expiresIn: _after, ...after } = await browser.ticket();
    expect(after).to.deep.equal(before);
  });

  it('is accepted if it comes from a page of the plugin, even behind a proxy that hides the origin', async () => {
    const { browser } = await world.meet();
    const headers = { origin: 'null', 'sec-fetch-site': 'same-origin' };
    expect((await browser.agent.post(`${browser.at}/qr/renew`, { json: {}, headers })).status).to.equal(200);
    for (const site of ['cross-site', 'same-site', 'none']) {
      const foreign = { origin: 'null', 'sec-fetch-site': site };
      const answer = await browser.agent.post(`${browser.at}/qr/renew`, { json: {}, headers: foreign });
      expect(answer.status, site).to.equal(403);
    }
  });

  it('is accepted if it comes from a page of the plugin', async () => {
    const { browser } = await world.meet();
    const headers = { origin: world.origin, 'sec-fetch-site': 'same-origin' };
    const answer = await browser.agent.post(`${browser.at}/qr/renew`, { json: {}, headers });
    expect(answer.status).to.equal(200);
  });
});

describe('the CSRF token of a form', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const expectRefused = ({ status, json }: Answer): void => {
    expect(status).to.equal(403);
    expect(json().error).to.equal('invalid_csrf');
  };
  const accept = { accept: 'application/json' };
  const forged = (good: string): RequestOptions[] => [
    { json: {} },
    { json: { csrf: '' } },
    { json: { csrf: 'A'.repeat(43) } },
    { json: { csrf: good.slice(0, -1) } },
    { json: { csrf: `${good}A` } },
    { form: {} },
    { form: { csrf: 'é' } },
    {},
  ];

  it('is required to scan', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const good = String((await phone.land(code)).json().csrf);
    for (const sent of forged(good)) expectRefused(await phone.agent.post(code, { ...sent, headers: accept }));
    expect((await browser.ticket()).state).to.equal('waiting');
  });

  it('is required to decide', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    for (const sent of forged(phone.csrf)) {
      const json = { ...(sent.json as object | undefined), ...sent.form, decision: 'approve' };
      expectRefused(await phone.agent.post(phone.at, { json, headers: accept }));
    }
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('is not valid for another ticket or another session', async () => {
    const one = await world.meet('alice');
    await one.phone.scan(await one.browser.code());
    const two = await world.meet('alice');
    await two.phone.scan(await two.browser.code());
    const json = { csrf: one.phone.csrf, decision: 'approve' };
    expectRefused(await two.phone.agent.post(two.phone.at, { json, headers: accept }));
    // The same account on another phone.
    const other = await new PhonePerson(world).signIn('alice');
    expectRefused(await other.agent.post(one.phone.at, { json, headers: accept }));
    expect((await one.browser.ticket()).state).to.equal('scanned');
    expect((await two.browser.ticket()).state).to.equal('scanned');
  });
});
