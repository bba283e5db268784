import { expect } from 'chai';
import { checkCodeOf, isCheckCode, readCheckCode } from '../../../src/ticket/codes/check-code.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { newTicketId } from '../../../src/ticket/ticket-id.ts';
import { SECRETS, TICKET_ID } from '../builders.ts';

const OLD = 'an old secret of at least thirty-two chars';
const keys = new SecretKeys(SECRETS);

describe('the check code', () => {
  it('is six digits, with leading zeros', () => {
    const codes = Array.from({ length: 500 }, () => checkCodeOf(keys, newTicketId('interaction')));
    for (const code of codes) expect(code).to.match(/^\d{6}$/);
    expect(codes.some((code) => code.startsWith('0'))).to.equal(true);
  });

  it('is always the same for one ticket, and different for another ticket', () => {
    expect(checkCodeOf(keys, TICKET_ID)).to.equal(checkCodeOf(new SecretKeys(SECRETS), TICKET_ID));
    const codes = new Set(Array.from({ length: 500 }, () => checkCodeOf(keys, newTicketId('interaction'))));
    expect(codes.size).to.be.greaterThan(490);
  });

  it('is accepted for its ticket only', () => {
    const code = checkCodeOf(keys, TICKET_ID);
    expect(isCheckCode(keys, TICKET_ID, code)).to.equal(true);
    expect(isCheckCode(keys, 'BAAAAAAAAAAAAAAAAAAAAAAA', code)).to.equal(false);
  });

  it('is not accepted with a different or a missing digit', () => {
    const code = checkCodeOf(keys, TICKET_ID);
    const other = `${code.slice(0, 5)}${(Number(code[5]) + 1) % 10}`;
    expect(isCheckCode(keys, TICKET_ID, other)).to.equal(false);
    expect(isCheckCode(keys, TICKET_ID, code.slice(0, 5))).to.equal(false);
    expect(isCheckCode(keys, TICKET_ID, '')).to.equal(false);
  });

  it('is made with the first secret and accepted under every secret', () => {
    const old = checkCodeOf(new SecretKeys([OLD]), TICKET_ID);
    const both = new SecretKeys([...SECRETS, OLD]);
    expect(checkCodeOf(both, TICKET_ID)).to.equal(checkCodeOf(keys, TICKET_ID));
    expect(isCheckCode(both, TICKET_ID, old)).to.equal(true);
    expect(isCheckCode(keys, TICKET_ID, old)).to.equal(false);
  });
});

describe('the text that a user types as a check code,', () => {
  for (const typed of [
    '123456',
    '123 456',
    ' 123456\n',
    '123-456',
    '1 2 3 4 5 6',
    '12\u00a034\u00a056',
    '123 - 456',
    '123–456',
    '１２３４５６',
    '١٢٣٤٥٦',
    '۱۲۳ ۴۵۶',
    '१२३४५६',
    '\u2066123456\u2069',
  ]) {
    it(`${JSON.stringify(typed)}, is read as 123456`, () => {
      expect(readCheckCode(typed)).to.equal('123456');
    });
  }

  for (const typed of ['', ' ', '12345', '1234567', '12345a', '123.456', '+123456', '0x1234', '１２３４５６x']) {
    it(`${JSON.stringify(typed)}, is not accepted`, () => {
      expect(readCheckCode(typed)).to.equal(undefined);
    });
  }
});
