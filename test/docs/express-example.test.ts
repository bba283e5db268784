import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { docPage } from '../support/doc-pages.ts';
import { documentedDiff, writeExample } from './express-example.ts';

/** The pages that state the number of lines that an integrator has to write. */
const PAGES = ['README.md', 'docs/express-example.md'];

describe("the diff for oidc-provider's Express example", () => {
  it('has the number of lines that the documentation states', () => {
    const lines = documentedDiff().split('\n');
    const added = lines.filter((line) => /^\+(?!\+\+ )/.test(line)).length;
    const removed = lines.filter((line) => /^-(?!-- )/.test(line)).length;
    const claim = `${added} lines added and ${removed} removed`;
    for (const page of PAGES) expect(docPage(page).prose.replace(/\s+/g, ' '), page).to.include(claim);
  });

  it('can be applied to the example as it is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'qr-login-express-'));
    try {
      writeExample(folder);
      expect(readFileSync(join(folder, 'example/express.js'), 'utf8')).to.include('qr.attach(provider);');
      expect(readFileSync(join(folder, 'example/routes/express.js'), 'utf8')).not.to.include("'/interaction/:uid',");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
