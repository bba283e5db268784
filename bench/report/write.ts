/** Writes `docs/performance/*.svg` and what lies between the markers of `docs/performance.md` and `docs/capacity.md`, from the results. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { MEASURES } from '../measures/index.ts';
import { type Results, readResults } from '../results.ts';
import { COSTS, costsText, SUMS, sumsText } from './capacity.ts';
import { draw } from './chart.ts';
import { fill, GOALS, goalsText, MACHINE, machineText, measureText } from './markdown.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const PICTURES = 'performance';

/** @throws Error where a measure has no place in the page */
export async function writeReport(): Promise<void> {
  const results = inOrder(readResults());
  if (Object.keys(results).length === 0) throw new Error('Nothing has been measured yet: npm run bench');
  const file = new URL('performance.md', DOCS);
  let page = await readFile(file, 'utf8');
  page = fill(page, MACHINE, machineText(results));
  page = fill(page, GOALS, goalsText(results));
  await mkdir(new URL(`${PICTURES}/`, DOCS), { recursive: true });
  for (const [name, run] of Object.entries(results)) {
    const pictures = run.result.charts.map((_, at) => `${PICTURES}/${name}${at === 0 ? '' : `-${at + 1}`}.svg`);
    for (const [at, chart] of run.result.charts.entries()) {
      await writeFile(new URL(pictures[at] ?? '', DOCS), draw(chart));
    }
    page = fill(page, name, measureText(run, pictures));
  }
  await writeFile(file, page);
  await writeCapacity(results);
}

/** As the page has them, not as they were measured. */
function inOrder(results: Results): Results {
  const runs = Object.keys(MEASURES).flatMap((name) => {
    const run = results[name];
    return run === undefined ? [] : [[name, run] as const];
  });
  return Object.fromEntries(runs);
}

async function writeCapacity(results: Results): Promise<void> {
  const file = new URL('capacity.md', DOCS);
  const page = await readFile(file, 'utf8');
  await writeFile(file, fill(fill(page, COSTS, costsText(results)), SUMS, sumsText(results)));
}
