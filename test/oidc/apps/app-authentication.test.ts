import { expect } from 'chai';
import { authenticationClaims, readAuthentication } from '../../../src/oidc/apps/app-authentication.ts';

type Context = Parameters<typeof authenticationClaims>[0];
type Token = Parameters<typeof authenticationClaims>[1];

const SIGN_IN = { accountId: 'alice', authTime: 1_700_000_000, acr: 'urn:password', amr: ['pwd'] };

/** Returns the claims for a token that oidc-provider issues from these records. */
function claimsFrom(entities: object, token: object = { kind: 'AccessToken', accountId: 'alice' }) {
  return authenticationClaims({ oidc: { entities } } as unknown as Context, token as Token);
}

describe('the claims of an access token about the authentication of its user', () => {
  const expected = { auth_time: 1_700_000_000, acr: 'urn:password', amr: ['pwd'] };

  for (const record of ['AuthorizationCode', 'RefreshToken', 'DeviceCode', 'BackchannelAuthenticationRequest']) {
    it(`come from the sign-in for which the token was issued, through the record ${record}`, () => {
      expect(claimsFrom({ [record]: SIGN_IN })).to.deep.equal(expected);
    });
  }

  it('are left out for tokens of no user, of another user and of other kinds, and outside of requests', () => {
    expect(claimsFrom({})).to.equal(undefined);
    expect(claimsFrom({ AuthorizationCode: { ...SIGN_IN, accountId: 'bob' } })).to.equal(undefined);
    expect(claimsFrom({ AuthorizationCode: SIGN_IN }, { kind: 'ClientCredentials' })).to.equal(undefined);
    expect(authenticationClaims(undefined, { kind: 'AccessToken' } as Token)).to.equal(undefined);
  });

  it('are read again from the token, without members of a wrong type', () => {
    const read = (extra: object): unknown => readAuthentication({ accountId: 'alice', extra: { ...extra } });
    const authenticated = { accountId: 'alice', authenticatedAt: 1_700_000_000 };
    expect(read(expected)).to.deep.equal({ ...authenticated, onPhone: { acr: 'urn:password', amr: ['pwd'] } });
    expect(read({ ...expected, acr: 7, amr: [7] })).to.deep.equal({ ...authenticated, onPhone: {} });
  });

  it('are required, so that a token without the time of the sign-in is refused', () => {
    for (const extra of [undefined, {}, { auth_time: 0 }, { auth_time: '1700000000' }]) {
      expect(() => readAuthentication({ accountId: 'alice', extra }), JSON.stringify(extra))
        .to.throw()
        .with.property('code', 'invalid_token');
    }
  });
});
