import { expect } from 'chai';
import { capitalOf, initialsOf } from '../../../src/http/pages/initials.ts';

const INITIALS = {
  'Alice Liddell': 'AL',
  'alice@example.com': 'A',
  ' Ada  Augusta King ': 'AK',
  Éloïse: 'É',
  'Лев Толстой': 'ЛТ',
  '山田 太郎': '山',
  'سارة أحمد': 'س',
  '👩‍👩‍👧 Family': 'F',
  '1Password Inc.': '1I',
  '…': '?',
  '': '?',
};

const FIRST = { 'example ID': 'E', ' 山田': '山', '🦊 Fox': '🦊', 'é id': 'É', '…': '…', '': '' };

describe('the initial that stands for the name of a provider', () => {
  for (const [name, initial] of Object.entries(FIRST)) {
    it(`is ${initial || 'empty'} for "${name}"`, () => {
      expect(capitalOf(name)).to.equal(initial);
    });
  }
});

describe('the initials of a name', () => {
  for (const [name, initials] of Object.entries(INITIALS)) {
    it(`are ${initials} for "${name}"`, () => {
      expect(initialsOf(name)).to.equal(initials);
    });
  }
});
