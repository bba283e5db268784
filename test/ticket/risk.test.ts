import { expect } from 'chai';
import { Keys } from '../../src/ticket/keys.ts';
import { remember } from '../../src/ticket/memory.ts';
import { needsCheckCode, type RiskContext, riskContext } from '../../src/ticket/risk.ts';
import { alice, bob, SECRETS, scanned, signInRequest } from './builders.ts';

const keys = new Keys(SECRETS);

function context(browser: Partial<RiskContext['browser']>, phone: RiskContext['phone'] = {}): RiskContext {
  return { accountId: 'alice', request: signInRequest(), browser: { known: false, ...browser }, phone };
}

const unknown = context({ address: '192.0.2.1' }, { address: '198.51.100.7' });
const known = context({ known: true, address: '192.0.2.1' }, { address: '198.51.100.7' });
const nearby = context({ address: '192.0.2.1' }, { address: '192.0.2.1' });

describe('when the check code is asked for', () => {
  it("'always' and 'never' do as they say", async () => {
    for (const about of [unknown, known, nearby]) {
      expect(await needsCheckCode('always', about)).to.equal(true);
      expect(await needsCheckCode('never', about)).to.equal(false);
    }
  });

  it("'auto' asks where the account is new to this browser and the phone is elsewhere", async () => {
    expect(await needsCheckCode('auto', unknown)).to.equal(true);
  });

  it("'auto' does not ask a browser that this account was signed in to before", async () => {
    expect(await needsCheckCode('auto', known)).to.equal(false);
  });

  it("'auto' does not ask where browser and phone share an address", async () => {
    expect(await needsCheckCode('auto', nearby)).to.equal(false);
  });

  it("'auto' asks where an address is not known: two unknown ones are not the same", async () => {
    expect(await needsCheckCode('auto', context({}))).to.equal(true);
    expect(await needsCheckCode('auto', context({ address: '192.0.2.1' }))).to.equal(true);
    expect(await needsCheckCode('auto', context({}, { address: '192.0.2.1' }))).to.equal(true);
  });

  it('a function decides by what is known', async () => {
    const seen: RiskContext[] = [];
    const policy = (about: RiskContext): boolean => {
      seen.push(about);
      return about.browser.known;
    };
    expect(await needsCheckCode(policy, known)).to.equal(true);
    expect(await needsCheckCode(async (about) => about.browser.known, unknown)).to.equal(false);
    expect(seen).to.deep.equal([known]);
  });
});

describe('what is known when a person approves', () => {
  it('is who, for what, on which browser and from where', () => {
    expect(riskContext(keys, scanned(), alice(), '198.51.100.7')).to.deep.equal({
      accountId: 'alice',
      request: signInRequest(),
      browser: { address: '192.0.2.1', name: 'Firefox', system: 'Linux', known: false },
      phone: { address: '198.51.100.7' },
    });
  });

  it('leaves out what nobody knows', () => {
    const about = riskContext(keys, scanned({ browser: { binding: 'binding' } }), alice());
    expect(about.browser).to.deep.equal({ known: false });
    expect(about.phone).to.deep.equal({});
  });

  it('says whether this very account was signed in to the browser before', () => {
    const ticket = scanned({ browser: { binding: 'binding', memory: remember(keys, undefined, 'alice') } });
    expect(riskContext(keys, ticket, alice()).browser.known).to.equal(true);
    expect(riskContext(keys, ticket, bob()).browser.known).to.equal(false);
  });
});
