import { expect } from 'chai';
import { type Fetch, Phone, PhoneError, type Signer } from '../../src/phone/index.ts';
import { CODE, viewOf } from './views.ts';

const SIGNER: Signer = { publicJwk: { kty: 'EC' }, sign: () => new Uint8Array(64) };

/** Scans a text. @returns the body of the request, or the code of the error if there was none */
async function scan(text: string, issuer: string): Promise<unknown> {
  const sent: unknown[] = [];
  const fetch: Fetch = async (url, { body = '' }) => {
    sent.push([url, JSON.parse(body)]);
    return { status: 201, headers: new Headers(), text: async () => JSON.stringify(viewOf()) };
  };
  const phone = new Phone({ issuer, accessToken: 'a token', signer: SIGNER, fetch });
  try {
    await phone.scan(text);
    return sent[0];
  } catch (error) {
    expect(sent, 'no request is sent').to.deep.equal([]);
    expect(error).to.be.instanceOf(PhoneError).with.property('action', 'scan');
    return (error as PhoneError).code;
  }
}

describe('the text of a QR code', () => {
  const accepted: readonly (readonly [text: string, issuer: string, base?: string])[] = [
    [`https://id.example.com/qr/${CODE}`, 'https://id.example.com'],
    [`https://id.example.com/qr/${CODE}`, 'https://id.example.com/'],
    [`  https://id.example.com/qr/${CODE}\n`, 'https://id.example.com'],
    [`HTTPS://ID.EXAMPLE.COM/qr/${CODE}`, 'https://id.example.com'],
    [`https://id.example.com/qr/${CODE}`, 'https://ID.example.com:443'],
    [`https://id.example.com/op/qr/${CODE}`, 'https://id.example.com/op/'],
    [`http://localhost:3000/qr/${CODE}`, 'http://localhost:3000'],
    [`http://[::1]:3000/qr/${CODE}`, 'http://[::1]:3000'],
    [CODE, 'https://id.example.com'],
  ];
  for (const [text, issuer] of accepted) {
    it(`is claimed: ${JSON.stringify(text.replace(CODE, '…'))} at ${issuer}`, async () => {
      const base = issuer.toLowerCase().replace(/:443/, '').replace(/\/$/, '');
      expect(await scan(text, issuer)).to.deep.equal([`${base}/qr/api/scans`, { code: CODE }]);
    });
  }

  const foreign = [
    `https://id.example.org/qr/${CODE}`,
    `http://id.example.com/qr/${CODE}`,
    `https://id.example.com:8443/qr/${CODE}`,
    `https://id.example.com.evil.example/qr/${CODE}`,
    `https://evil.example/https://id.example.com/qr/${CODE}`,
    `https://id.example.com/other/qr/${CODE}`,
    `https://evil.id.example.com/qr/${CODE}`,
  ];
  for (const text of foreign) {
    it(`is refused before any request: ${text.replace(CODE, '…')}`, async () => {
      expect(await scan(text, 'https://id.example.com')).to.equal('foreign_code');
    });
  }

  const senseless = [
    '',
    'hello',
    'https://id.example.com',
    'https://id.example.com/qr/scan',
    'https://id.example.com/qr/devices',
    `https://id.example.com/qr/tickets/${CODE}`.replace('/qr/tickets', '/qr/tickets/x'),
    `https://id.example.com/${CODE}`,
    `https://id.example.com/qr/${CODE}?x=1`,
    `https://id.example.com/qr/${CODE}#x`,
    `https://id.example.com/qr/${CODE}/decision`,
    `https://id.example.com@evil.example/qr/${CODE}`,
    `https://id.example.com\\@evil.example/qr/${CODE}`,
    `javascript:alert(1)/qr/${CODE}`,
    'WIFI:S:network;T:WPA;P:password;;',
  ];
  for (const text of senseless) {
    it(`is no code: ${JSON.stringify(text.replace(CODE, '…'))}`, async () => {
      expect(await scan(text, 'https://id.example.com')).to.equal('not_a_code');
    });
  }

  it('needs an issuer that is a URL', () => {
    for (const issuer of ['', 'id.example.com', 'ftp://id.example.com', 'https://id.example.com/?tenant=1']) {
      const make = (): Phone => new Phone({ issuer, accessToken: '', signer: SIGNER });
      expect(make).to.throw(TypeError, 'is not the URL of an issuer');
    }
  });
});
