import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { prove } from '../attack.ts';
import { attacks, flawTable } from './flaws.ts';

prove('the six flaws of QR sign-ins (USENIX Security 2025)', attacks);

describe('the table of the six flaws', () => {
  it('has a row for each attack, with the missing defence and the result', () => {
    const rows = flawTable().split('\n').slice(2);
    expect(rows).to.have.length(attacks.length);
    expect(new Set(rows.map((row) => row.slice(2, 4)))).to.have.all.keys('F1', 'F2', 'F3', 'F4', 'F5', 'F6');
    for (const row of rows) expect(row.split(' | ')).to.have.length(4);
  });

  it('is the one in docs/security.md', () => {
    expect(readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8')).to.include(flawTable());
  });
});
