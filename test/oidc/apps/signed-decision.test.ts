import { expect } from 'chai';
import { type DecisionKeys, verifyDecision } from '../../../src/oidc/apps/signed-decision.ts';
import { type AppKey, makeAppKey, rejection, signClaims } from './proofs.ts';

const TYPE = 'qr-decision+jwt';
const NOW = Date.UTC(2026, 0, 1);
const EXPECTED = {
  aud: 'https://op.example',
  ticket: 'a ticket',
  decision: 'approve',
  remember: false,
  client: 'test-rp',
  browser: { name: 'Chrome' },
  duration: undefined,
  action: undefined,
  backchannel: undefined,
};
const CLAIMS = { ...EXPECTED, time: NOW / 1000 };

describe('a decision that an app has signed', () => {
  let token: AppKey;
  let registered: AppKey;
  let keys: DecisionKeys;

  before(async () => {
    [token, registered] = [await makeAppKey(), await makeAppKey()];
    keys = { keyId: token.id, registered: [{ ...registered.jwk, kid: 'one' }] };
  });

  it('is verified with the key of the token, and the key is returned without extra members that the header has', async () => {
    const signature = await signClaims(token, TYPE, CLAIMS, { jwk: { ...token.jwk, note: 'anything' } });
    const verified = await verifyDecision(signature, keys, EXPECTED, NOW);
    expect(verified).to.deep.equal({ time: NOW / 1000, jwk: token.jwk, keyId: token.id });
  });

  it('is verified with the registered key that the header names', async () => {
    const signature = await signClaims(registered, TYPE, CLAIMS, { jwk: undefined, kid: 'one' });
    expect((await verifyDecision(signature, keys, EXPECTED, NOW)).keyId).to.equal(registered.id);
  });

  const CHANGES: Readonly<Record<string, object>> = {
    'another provider': { aud: 'https://evil.example' },
    'another ticket': { ticket: 'another ticket' },
    'another decision': { decision: 'deny' },
    'another browser': { browser: { name: 'Firefox' } },
    'an action': { action: { title: 'Pay', details: '' } },
    'a request without a browser': { backchannel: { bindingMessage: 'W4SC' } },
    'another duration': { duration: '30d' },
    'a time of six minutes ago': { time: NOW / 1000 - 360 },
    'no time': { time: undefined },
  };
  for (const [what, change] of Object.entries(CHANGES)) {
    it(`is refused if it was signed for ${what}`, async () => {
      const signature = await signClaims(token, TYPE, { ...CLAIMS, ...change });
      expect((await rejection(verifyDecision(signature, keys, EXPECTED, NOW))).code).to.equal('invalid_request');
    });
  }

  it('is refused if it is not a JWS, has another type, or is signed with an unknown key', async () => {
    const other = await makeAppKey();
    for (const signature of [
      'no JWS',
      await signClaims(token, 'JWT', CLAIMS),
      await signClaims(other, TYPE, CLAIMS),
      await signClaims(other, TYPE, CLAIMS, { jwk: token.jwk }),
      await signClaims(registered, TYPE, CLAIMS, { jwk: undefined, kid: 'two' }),
    ]) {
      expect((await rejection(verifyDecision(signature, keys, EXPECTED, NOW))).code).to.equal('invalid_request');
    }
  });
});
