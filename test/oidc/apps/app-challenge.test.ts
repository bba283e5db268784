import { expect } from 'chai';
import { APP_ALGORITHMS, AppChallenge } from '../../../src/oidc/apps/app-challenge.ts';

const ALGORITHMS = `algs="${APP_ALGORITHMS.join(' ')}"`;

describe('the challenge of an app', () => {
  it('contains the error, the algorithms and the parameters that the app has to send', () => {
    const { header } = new AppChallenge('insufficient_scope', 'More, please.', { parameters: { scope: 'qr_login' } });
    expect(header).to.equal(
      `DPoP error="insufficient_scope", error_description="More, please.", ${ALGORITHMS}, scope="qr_login"`,
    );
  });

  it('names no error if the request had no token (RFC 6750, section 3.1)', () => {
    const { header } = new AppChallenge('invalid_token', 'There is no token.', { isBare: true });
    expect(header).to.equal(`DPoP ${ALGORITHMS}`);
  });

  it('has apostrophes instead of quotes, backslashes and line breaks in a text', () => {
    const { header } = new AppChallenge('invalid_token', 'a"b\\c\r\nd');
    expect(header).to.include(`error_description="a'b'c''d", `);
  });
});
