import { expect } from 'chai';
import fc from 'fast-check';
import { Codes } from '../../../src/ticket/codes/code.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { newTicketId } from '../../../src/ticket/ticket-id.ts';
import type { Answer } from '../../support/agent.ts';
import { StillClock } from '../../support/clock.ts';
import { codeIn, ID_LENGTH, UNKNOWN_CODE } from '../../support/codes.ts';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';
import { patience, runs } from './runs.ts';
import { applyChange, changes, texts } from './values.ts';

const ROTATION = 10_000;
const codes = new Codes(new SecretKeys(['a secret of at least thirty-two characters']), ROTATION);
const others = new Codes(new SecretKeys(['another secret, of the same length as that']), ROTATION);
const ids = fc.string({ minLength: 1 }).map(newTicketId);
const moments = fc.nat({ max: 2 ** 45 });

describe('a code', function () {
  this.timeout(patience());

  it('is fresh while it is shown, one rotation earlier and two rotations later, and at no other time', () => {
    const property = fc.property(ids, moments, fc.integer({ min: -100_000, max: 100_000 }), (id, now, later) => {
      const { code, rotatesIn } = codes.show(id, now);
      const slots = Math.floor((later - rotatesIn) / ROTATION) + 1;
      expect(codes.isFresh(code, now + later)).to.equal(slots >= -1 && slots <= 2);
    });
    fc.assert(property, runs({ short: 500, full: 1_000 }));
  });

  it('is not fresh after any change', () => {
    const property = fc.property(ids, moments, fc.array(changes, { minLength: 1, maxLength: 3 }), (id, now, ways) => {
      const { code } = codes.show(id, now);
      const forged = ways.reduce(applyChange, code);
      fc.pre(forged !== code);
      expect(codes.isFresh(forged, now), forged).to.equal(false);
    });
    fc.assert(property, runs({ short: 500, full: 2_000 }));
  });

  it('is not fresh if it combines two codes, or was made with another key', () => {
    const property = fc.property(ids, ids, moments, (one, other, now) => {
      fc.pre(one !== other);
      const made = codes.show(one, now).code.slice(0, ID_LENGTH) + codes.show(other, now).code.slice(ID_LENGTH);
      expect(codes.isFresh(made, now)).to.equal(false);
      expect(codes.isFresh(others.show(one, now).code, now)).to.equal(false);
    });
    fc.assert(property, runs({ short: 200, full: 500 }));
  });

  it('is not fresh if it is an arbitrary text', () => {
    const property = fc.property(
      fc.oneof(texts, fc.base64String(), fc.string({ unit: 'binary' })),
      moments,
      (text, now) => {
        expect(codes.isFresh(text, now)).to.equal(false);
      },
    );
    fc.assert(property, runs({ short: 500, full: 2_000 }));
  });
});

/** Returns the whole answer except for its Date header. */
function comparable({ status, headers, text }: Answer): unknown {
  const { date: _, ...all } = Object.fromEntries(headers);
  return { status, text, headers: all };
}

describe('forged codes and ids over HTTP', function () {
  this.timeout(patience());

  let world: World;
  let alice: PhonePerson;
  let stranger: PhonePerson;

  before(async () => {
    world = await World.start({ clock: new StillClock() });
    alice = await new PhonePerson(world).signIn('alice');
    stranger = new PhonePerson(world);
  });

  after(() => world?.stop());

  /** Asks for a path in every way, from a phone with a session and from a phone without. */
  async function answersTo(path: string): Promise<unknown[]> {
    const asked: Promise<Answer>[] = [];
    for (const { agent } of [alice, stranger]) {
      for (const accept of ['text/html', 'application/json']) {
        const headers = { accept, 'sec-fetch-site': 'same-origin' };
        asked.push(agent.get(`${world.issuer}${path}`, { headers }));
        asked.push(agent.send(`${world.issuer}${path}`, { method: 'HEAD', headers }));
        asked.push(agent.post(`${world.issuer}${path}`, { headers, json: { csrf: alice.csrf } }));
        asked.push(agent.post(`${world.issuer}${path}`, { headers, form: { csrf: alice.csrf, decision: 'approve' } }));
      }
    }
    return (await Promise.all(asked)).map(comparable);
  }

  /** Encodes a text as one segment of a path. Skips segments with a special meaning. */
  function segment(text: string): string {
    fc.pre(!['', '.', '..', 'tickets', 'assets'].includes(text));
    return encodeURIComponent(Buffer.from(text).toString());
  }

  const forgeries = fc.oneof(
    { weight: 4, arbitrary: fc.array(changes, { minLength: 1, maxLength: 3 }) },
    texts.filter((text) => text.length < 4_000),
  );

  const forge = (good: string, how: string | readonly Parameters<typeof applyChange>[1][]): string => {
    const forged = typeof how === 'string' ? how : how.reduce(applyChange, good);
    fc.pre(forged !== good);
    return forged;
  };

  it('get the same 404, byte for byte, as a well-formed code that was never shown, however the code on the screen was altered or replaced', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const garbage = await answersTo(`/qr/${UNKNOWN_CODE}`);
    for (const answer of garbage) expect(answer).to.include({ status: 404 });
    const property = fc.asyncProperty(forgeries, async (how) => {
      const code = codeIn(await browser.code());
      expect(await answersTo(`/qr/${segment(forge(code, how))}`)).to.deep.equal(garbage);
    });
    await fc.assert(property, runs({ short: 20, full: 120 }));
    expect(await browser.ticket()).to.include({ version: 1, state: 'waiting' });
  });

  it('get the answer for an unknown id, however the id of the phone’s own ticket was altered or replaced', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    await alice.scan(await browser.code());
    const unknown = await answersTo(`/qr/tickets/${UNKNOWN_CODE.slice(0, ID_LENGTH)}`);
    const id = alice.at.slice(-ID_LENGTH);
    const property = fc.asyncProperty(forgeries, async (how) => {
      expect(await answersTo(`/qr/tickets/${segment(forge(id, how))}`)).to.deep.equal(unknown);
    });
    await fc.assert(property, runs({ short: 15, full: 80 }));
    expect(await browser.ticket()).to.include({ version: 2, state: 'scanned' });
  });
});
