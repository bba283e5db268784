import { expect } from 'chai';
import {
  type ApproverSignIn,
  assessByDefault,
  type Device,
  type RiskContext,
  riskContext,
} from '../../src/ticket/risk.ts';
import { alice, browserOf, scanned, signInRequest } from './builders.ts';

const SIGN_IN: ApproverSignIn = { authTime: 0, byQr: false, client: 'page' };

function context(browser: Partial<RiskContext['browser']>, phone: Device = {}): RiskContext {
  return {
    accountId: 'alice',
    request: signInRequest(),
    browser: { known: false, ...browser },
    phone,
    approver: SIGN_IN,
  };
}

describe('the default assessment', () => {
  const here = { address: '192.0.2.1' };
  const elsewhere = { address: '198.51.100.7' };

  it('requires the check code if the account is new to this browser and the phone is at another address', () => {
    expect(assessByDefault(context(here, elsewhere))).to.equal('check code');
  });

  it('allows a browser that this account trusts', () => {
    expect(assessByDefault(context({ ...here, known: true }, elsewhere))).to.equal('allow');
  });

  it('requires the check code if browser and phone share an address', () => {
    expect(assessByDefault(context(here, here))).to.equal('check code');
  });

  it('requires the check code if browser and phone share a place and a user agent, but no address', () => {
    const alike = { place: { country: 'DE', city: 'Berlin' }, userAgent: 'Mozilla/5.0' };
    expect(assessByDefault(context({ ...here, ...alike }, { ...elsewhere, ...alike }))).to.equal('check code');
  });
});

describe('the context of an assessment', () => {
  it('has the account, the request, the browser and the phone, but no internal data', () => {
    const place = { country: 'DE', city: 'Berlin' };
    const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0';
    const phone = { address: '198.51.100.7', place: { country: 'FR' }, userAgent: 'Mozilla/5.0 (iPhone)' };
    const ticket = scanned({ browser: { ...browserOf('binding'), place, userAgent } });
    expect(riskContext(ticket, alice(), phone, undefined)).to.deep.equal({
      accountId: 'alice',
      request: signInRequest(),
      browser: {
        address: '192.0.2.1',
        place,
        userAgent,
        name: 'Firefox',
        system: 'Linux',
        known: false,
      },
      phone,
      approver: {
        acr: 'urn:example:password',
        amr: ['pwd'],
        authTime: alice().authenticatedAt,
        byQr: false,
        client: 'page',
      },
    });
  });

  it('leaves out unknown data', () => {
    const ticket = scanned({ browser: { binding: 'binding', source: '127.0.0.1' } });
    const { browser, phone } = riskContext(ticket, alice(), {}, undefined);
    expect(browser).to.deep.equal({ known: false });
    expect(phone).to.deep.equal({});
  });

  it("contains the approver's authentication methods", () => {
    const { accountId, sessionUid, authenticatedAt } = alice();
    const little = { accountId, sessionUid, authenticatedAt };
    expect(riskContext(scanned(), { ...little, byQr: true }, {}, undefined).approver).to.deep.equal({
      authTime: little.authenticatedAt,
      byQr: true,
      client: 'page',
    });
  });

  it('states if this account trusts the browser, but does not contain the cookie', () => {
    const ticket = scanned({ browser: { ...browserOf('binding'), knownAs: 'fingerprint' } });
    const { browser } = riskContext(ticket, alice(), {}, 'key');
    expect(browser).to.include({ known: true, boundTo: 'key' });
    expect(browser).not.to.have.property('knownAs');
  });
});
