import { expect } from 'chai';
import { isLive, ownerOf, stateAt } from '../../src/ticket/ticket.ts';
import { alice, approved, cancelled, DEADLINE, denied, redeemed, scanned, waiting } from './builders.ts';

describe('a ticket', () => {
  for (const ticket of [waiting(), scanned(), approved()]) {
    it(`in the state ${ticket.state} is live up to its deadline and expired from then on`, () => {
      expect(stateAt(ticket, DEADLINE - 1)).to.equal(ticket.state);
      expect(isLive(ticket, DEADLINE - 1)).to.equal(true);
      expect(stateAt(ticket, DEADLINE)).to.equal('expired');
      expect(isLive(ticket, DEADLINE)).to.equal(false);
    });
  }

  for (const ticket of [denied(), redeemed(), cancelled()]) {
    it(`in the state ${ticket.state} is final and never expires`, () => {
      expect(stateAt(ticket, DEADLINE - 1)).to.equal(ticket.state);
      expect(stateAt(ticket, DEADLINE)).to.equal(ticket.state);
      expect(isLive(ticket, DEADLINE - 1)).to.equal(false);
    });
  }

  it('has an owner once it was scanned', () => {
    expect(ownerOf(waiting())).to.equal(undefined);
    expect(ownerOf(cancelled())).to.equal(undefined);
    for (const ticket of [scanned(), approved(), denied(), redeemed(), cancelled({ approver: alice() })]) {
      expect(ownerOf(ticket), ticket.state).to.deep.equal(alice());
    }
  });
});
