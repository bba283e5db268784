import { expect } from 'chai';
import { docPage, firstColumn, section } from '../support/doc-pages.ts';
import { isFullSuite } from '../support/full-suite.ts';
import { checkModel } from './spin.ts';
import { modelText } from './table.ts';

/** The time limit of a run. It only ends runs that hang: the longest run takes about 15 s. */
const PATIENCE_MS = 600_000;

/** The number of the goal, a "property" that a run must break: this shows that Alice's browser can be signed in. */
const GOAL = 8;

/** The columns of a table's line: the switches, the suite, and the result of the run. */
interface Line {
  readonly switches: string;
  readonly suite: string;
  readonly result: number;
}

const PAGE = docPage('docs/model/README.md');
const COMPLETE = linesOf('## Properties');
const BROKEN = linesOf('## Switches');

function linesOf(heading: string): Line[] {
  return [...section(PAGE, heading).matchAll(/^\| `([^`]+)` \| (\w+) \| ([\d,]+) \|/gm)].map(
    ([, switches, suite, result]) => ({
      switches: String(switches),
      suite: String(suite),
      result: Number(result?.replaceAll(',', '')),
    }),
  );
}

function ofThisSuite(lines: readonly Line[]): readonly Line[] {
  return lines.filter(({ suite }) => isFullSuite || suite === 'short');
}

describe('the model of the sign-in', function () {
  this.timeout(PATIENCE_MS);

  for (const { switches, suite, result } of ofThisSuite(COMPLETE)) {
    it(`keeps every property, with the documented number of states: ${switches}`, async () => {
      const found = await checkModel(switches.split(' '), { optimized: suite === 'full' });
      expect(found).to.deep.equal({ states: result, violated: undefined });
    });
  }

  for (const { switches, result } of ofThisSuite(BROKEN)) {
    it(`breaks property ${result} with ${switches}`, async () => {
      const { violated } = await checkModel([...switches.split(' '), `-DPROPERTY=${result}`]);
      expect(violated).to.equal(result);
    });
  }

  it('can sign Alice in', async () => {
    expect((await checkModel(['-DONLOOKER', `-DPROPERTY=${GOAL}`])).violated).to.equal(GOAL);
  });

  it('has a run for every property and every switch', () => {
    const numbers = [...modelText('sign-in.pml').matchAll(/^#define [A-Z_]+ (\d)$/gm)];
    expect(numbers.length).to.be.greaterThan(GOAL);
    expect([...new Set(BROKEN.map(({ result }) => result))].sort()).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
    const named = firstColumn(PAGE.text).flatMap((switches) =>
      switches.split(' ').map((one) => one.slice(2).split('=')[0]),
    );
    const inModel = [...modelText('sign-in.pml').matchAll(/(?:#ifn?def |defined\()(\w+)/g)].map(([, name]) => name);
    expect(inModel.length).to.be.greaterThan(20);
    expect([...named, 'PROPERTY']).to.include.members(inModel);
  });
});
