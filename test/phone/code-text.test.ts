import { expect } from 'chai';
import { type Fetch, Phone, PhoneError, type Signer } from '../../src/phone/index.ts';
import { CODE, viewOf } from './views.ts';

const SIGNER: Signer = { publicJwk: { kty: 'EC' }, sign: () => new Uint8Array(64) };

/** Scans a text. @returns the URL and the body of the request; the code of the error if no request was sent */
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
    [`https://id.example.com/qr/${CODE}`, 'https://ID.example.com'],
    [`https://id.example.com/op/qr/${CODE}`, 'https://id.example.com/op/'],
    [`http://localhost:3000/qr/${CODE}`, 'http://localhost:3000'],
    [`http://[::1]:3000/qr/${CODE}`, 'http://[::1]:3000'],
    [CODE, 'https://id.example.com'],
  ];
  for (const [text, issuer] of accepted) {
    it(`is accepted as a code: ${JSON.stringify(text.replace(CODE, '…'))} at ${issuer}`, async () => {
      const base = issuer.toLowerCase().replace(/\/$/, '');
      expect(await scan(text, issuer)).to.deep.equal([`${base}/qr/api/scans`, { actions: true, code: CODE }]);
    });
  }

  const link = (issuer: string, more = ''): string =>
    `com.example.app:/qr/${CODE}?${new URLSearchParams({ iss: issuer })}${more}`;
  for (const issuer of ['https://id.example.com', 'https://id.example.com/op', 'http://localhost:3000']) {
    it(`may be in a link with which the provider has opened the app: ${issuer}`, async () => {
      expect(await scan(link(issuer), issuer)).to.deep.equal([`${issuer}/qr/api/scans`, { actions: true, code: CODE }]);
      expect(await scan(link(`${issuer}/`), issuer)).to.deep.equal([
        `${issuer}/qr/api/scans`,
        { actions: true, code: CODE },
      ]);
    });
  }

  it('may name a page of the provider to which the app returns with the check code; any other page is ignored', async () => {
    const issuer = 'https://id.example.com/op';
    const page = `${issuer}/interaction/a-uid`;
    const returnsTo = (url: string): string => link(issuer, `&${new URLSearchParams({ return: url })}`);
    const approved = viewOf({ version: 2, state: 'approved', checkCode: '123456' });
    const fetch: Fetch = async (url) => {
      const answer = url.endsWith('decision') ? approved : viewOf();
      return { status: 200, headers: new Headers(), text: async () => JSON.stringify(answer) };
    };
    const phone = new Phone({ issuer, accessToken: 'a token', signer: SIGNER, fetch });
    const ticket = await phone.scan(returnsTo(page));
    expect(ticket.returnTo).to.equal(page);
    await ticket.approve();
    expect(ticket.returnTo).to.equal(`${page}#123456`);
    const others = ['https://evil.example/op/interaction/x', `${issuer}@evil.example/`, 'javascript:alert(1)', ''];
    for (const other of others) expect((await phone.scan(returnsTo(other))).returnTo, other).to.equal(undefined);
    expect((await phone.scan(`${issuer}/qr/${CODE}`)).returnTo).to.equal(undefined);
  });

  const foreign = [
    link('https://id.example.org'),
    link('https://id.example.com.evil.example'),
    link('https://id.example.com/op'),
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
    link('%E0%A4%A'),
    link('id.example.com'),
    `com.example.app:/qr/${CODE}`,
    `com.example.app:/qr/${CODE}?iss=%`,
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
    it(`is not accepted as a code: ${JSON.stringify(text.replace(CODE, '…'))}`, async () => {
      expect(await scan(text, 'https://id.example.com')).to.equal('not_a_code');
    });
  }

  it('is read only for an issuer that is an http or https URL without a query', () => {
    for (const issuer of ['', 'id.example.com', 'ftp://id.example.com', 'https://id.example.com/?tenant=1']) {
      const make = (): Phone => new Phone({ issuer, accessToken: '', signer: SIGNER });
      expect(make).to.throw(TypeError, 'no issuer');
    }
  });
});
