import { expect } from 'chai';
import fc from 'fast-check';
import { toBase64url, toUtf8 } from '../../src/phone/base64url.ts';

describe('the encodings of the library for apps (base64url and UTF-8)', () => {
  it('give the same results as those of Node', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => toBase64url(bytes) === Buffer.from(bytes).toString('base64url')));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => Buffer.from(toUtf8(text)).equals(Buffer.from(text))),
    );
  });

  it('refuse a text with a lone surrogate', () => {
    expect(() => toUtf8('\ud800')).to.throw(URIError);
  });
});
