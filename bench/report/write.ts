/** Writes `docs/performance/*.svg`, and the parts of `docs/performance.md` between its markers, from the results. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { MEASURES } from '../measures/index.ts';
import { type Results, readResults } from '../results.ts';
import { COSTS, costsText, SUMS, sumsText } from './capacity.ts';
import { draw } from './chart.ts';
import { fill, GOALS, goalsText, MACHINE, machineText, measureText, selectForPage } from './markdown.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const PICTURES = 'performance';

/** Writes the report. @throws Error if the page has no markers for a measure */
export async function writeReport(): Promise<void> {
  const results = sortRuns(readResults());
  if (Object.keys(results).length === 0) throw new Error('Nothing has been measured yet: npm run bench');
  const file = new URL('performance.md', DOCS);
  let page = await readFile(file, 'utf8');
  page = fill(page, MACHINE, machineText(results));
  page = fill(page, GOALS, goalsText(results));
  page = fill(page, COSTS, costsText(results));
  page = fill(page, SUMS, sumsText(results));
  await mkdir(new URL(`${PICTURES}/`, DOCS), { recursive: true });
  for (const [name, run] of Object.entries(results)) {
    const { tables, charts } = selectForPage(name, run.result);
    const pictures = charts.map((_, at) => `${PICTURES}/${name}${at === 0 ? '' : `-${at + 1}`}.svg`);
    for (const [at, chart] of charts.entries()) {
      await writeFile(new URL(pictures[at] ?? '', DOCS), draw(chart));
    }
    page = fill(page, name, measureText({ tables, charts }, pictures));
  }
  await writeFile(file, page);
}

/** Sorts the results by the order of the measures, not by the time at which they were taken. */
function sortRuns(results: Results): Results {
  const runs = Object.keys(MEASURES).flatMap((name) => {
    const run = results[name];
    return run === undefined ? [] : [[name, run] as const];
  });
  return Object.fromEntries(runs);
}
