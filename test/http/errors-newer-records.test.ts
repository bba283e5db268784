import { expect } from 'chai';
import { Keyv } from 'keyv';
import { chooseEngine } from '../../src/stores/choose-engine.ts';
import { engineForIssuer } from '../../src/stores/issuer/issuer-engine.ts';
import { makeKeyvEngine } from '../../src/stores/memory/engine.ts';
import type { StoreEngine } from '../../src/stores/store-engine.ts';
import { KNOWN_FORMAT, WRITTEN_FORMAT } from '../../src/ticket/record-format.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import { COOKIE_KEYS } from '../fixtures/secrets.ts';
import type { Answer } from '../support/agent.ts';
import { type BrowserPerson, type PhonePerson, World } from '../support/world.ts';

const IGNORE_CALLBACKS = { onTrouble: () => undefined, onLate: () => undefined };

describe('a ticket that a newer node has changed', () => {
  let world: World;
  let engine: StoreEngine;
  let browser: BrowserPerson;
  let phone: PhonePerson;

  beforeEach(async () => {
    const keyv = new Keyv();
    world = await World.start({
      qrLogin: {
        store: (clock) => {
          engine = makeKeyvEngine(keyv, clock);
          return engine;
        },
      },
    });
    ({ browser, phone } = await world.meet());
    await phone.scan(await browser.code());
  });

  afterEach(() => world?.stop());

  async function changeByNewerNode(): Promise<void> {
    const ticket = await engine.store.findByInteraction(browser.uid);
    if (ticket === undefined) throw new Error('the browser shows a ticket');
    const { version } = ticket;
    await engine.store.swap(ticket, { ...ticket, version: version + 1, format: KNOWN_FORMAT + 1 });
  }

  const ACTS: Readonly<Record<string, () => Promise<Answer>>> = {
    'the page': () => browser.agent.get(browser.at, { headers: { accept: 'application/json' } }),
    'a poll': () => browser.agent.get(`${browser.at}/qr`),
    'the stream': () => browser.agent.get(`${browser.at}/qr/events`),
    'a new code': () => browser.agent.post(`${browser.at}/qr/renew`, { json: {} }),
    finish: () => browser.finish(),
    "the phone's page": () => phone.look(),
    Approve: () => phone.approve(),
    Deny: () => phone.decide('deny'),
  };

  it('causes a 503 with Retry-After at every request, and stays unchanged', async () => {
    await changeByNewerNode();
    const before = await engine.store.findByInteraction(browser.uid);
    const failures = world.collectPayloads('qr_login.failed');
    for (const [name, act] of Object.entries(ACTS)) {
      const answer = await act();
      expect(answer.status, name).to.equal(503);
      expect(answer.headers.get('retry-after'), name).to.equal('2');
    }
    expect(failures).to.have.length(Object.keys(ACTS).length);
    expect(await engine.store.findByInteraction(browser.uid)).to.deep.equal(before);
  });

  it('causes an error page with a link to try again, and as JSON a message that names both formats', async () => {
    await changeByNewerNode();
    const page = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
    expect(page.text).to.include('data-error="newer_record"').and.include('Try again');
    const { error, error_description: message } = (await browser.agent.get(`${browser.at}/qr`)).json();
    expect(error).to.equal('newer_record');
    expect(message)
      .to.include(`in format ${KNOWN_FORMAT + 1}`)
      .and.include(`knows ${KNOWN_FORMAT}`);
  });

  it('ends the stream of the browser, so that it reconnects and gets to another node', async () => {
    const stream = await browser.events();
    await stream.ticket('scanned');
    await changeByNewerNode();
    expect(await stream.block()).to.match(/^retry: \d+$/);
    expect(await stream.block()).to.equal(undefined);
  });

  it('can be approved and finished at a node that knows its format', async () => {
    const stored = await engine.store.findByInteraction(browser.uid);
    await changeByNewerNode();
    expect((await phone.approve()).status).to.equal(503);
    // Stand in for the newer node: restore the record in a format that this build knows.
    const newer = await engine.store.findByInteraction(browser.uid);
    if (stored === undefined || newer === undefined) throw new Error('the browser shows a ticket');
    await engine.store.swap(newer, { ...stored, version: newer.version + 1 });
    expect((await phone.approve()).json().state).to.equal('approved');
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });
});

describe('a browser on a list that a newer node has written', () => {
  it('causes a 503 at /qr/devices, so that "sign out all" never skips a browser', async () => {
    const keyv = new Keyv();
    await World.during({ store: keyv }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.arrive();
      const engine = chooseEngine(keyv, world.clock.now, IGNORE_CALLBACKS);
      const { browsers } = engineForIssuer(engine, world.issuer, new SecretKeys(COOKIE_KEYS));
      const [listed] = await browsers.list('a11ce');
      if (listed === undefined) throw new Error('the browser is listed');
      expect(listed.format).to.equal(WRITTEN_FORMAT);
      await browsers.put('a11ce', { ...listed, format: KNOWN_FORMAT + 1 });
      const answer = await phone.agent.get(`${world.issuer}/qr/devices`, { headers: { accept: 'application/json' } });
      expect(answer.status).to.equal(503);
      expect(answer.json().error).to.equal('newer_record');
    });
  });
});
