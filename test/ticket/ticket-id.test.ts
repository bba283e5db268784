import { expect } from 'chai';
import { isTicketId, newTicketId, placeOfInteraction, placeOfTicket, traceOf } from '../../src/ticket/ticket-id.ts';

describe('the ids of tickets', () => {
  it('are 24 characters of base64url and never repeat', () => {
    const ids = Array.from({ length: 1000 }, () => newTicketId('interaction'));
    for (const id of ids) expect(id).to.match(/^[\w-]{24}$/);
    expect(new Set(ids).size).to.equal(1000);
  });

  it('are told from other texts by their form', () => {
    expect(isTicketId(newTicketId('interaction'))).to.equal(true);
    for (const text of ['', 'x'.repeat(23), 'x'.repeat(25), `${'x'.repeat(23)}+`, `${'x'.repeat(24)}\n`]) {
      expect(isTicketId(text), text).to.equal(false);
    }
  });

  it('have 128 random bits besides the place of their interaction', () => {
    const random = Array.from({ length: 1000 }, () => newTicketId('interaction').slice(3));
    expect(new Set(random).size).to.equal(1000);
    expect(Buffer.from(newTicketId('interaction'), 'base64url')).to.have.length(2 + 16);
  });

  it('contain the place of their interaction, so that both are stored in the same cluster slot', () => {
    for (const interaction of ['', 'interaction', 'another interaction', 'ünïcödé', 'x'.repeat(1000)]) {
      expect(placeOfTicket(newTicketId(interaction)), interaction).to.equal(placeOfInteraction(interaction));
    }
  });

  it('have places of four hexadecimal digits, spread over all values', () => {
    const places = Array.from({ length: 10_000 }, (_, number) => placeOfInteraction(`${number}`));
    for (const place of places) expect(place).to.match(/^[\da-f]{4}$/);
    const sixteenths = new Map<string, number>();
    for (const [first = ''] of places) sixteenths.set(first, (sixteenths.get(first) ?? 0) + 1);
    expect(sixteenths.size).to.equal(16);
    for (const count of sixteenths.values()) expect(count).to.be.within(500, 750);
  });

  it('have a constant name for events that does not disclose the id', () => {
    const ids = Array.from({ length: 1000 }, () => newTicketId('interaction'));
    const traces = ids.map(traceOf);
    expect(ids.map(traceOf)).to.deep.equal(traces);
    expect(new Set(traces).size).to.equal(1000);
    for (const [index, trace] of traces.entries()) {
      expect(trace).to.match(/^[\w-]{16}$/);
      expect(ids[index]).not.to.include(trace);
    }
  });
});
