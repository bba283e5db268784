/**
 * Runs measures and writes the report.
 *
 *     npm run bench                     all measures
 *     npm run bench -- memory push      only these measures
 *     npm run bench -- --quick          a tenth of the size, to check that everything works
 *     npm run bench -- --report         only the report, from the stored results
 */
import { parseArgs } from 'node:util';
import type { Measure, Size } from './measure.ts';
import { MEASURES } from './measures/index.ts';
import { print } from './report/print.ts';
import { writeReport } from './report/write.ts';
import { keepRun, machineHere } from './results.ts';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, report: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const size: Size = values.quick ? 'quick' : 'full';

if (!values.report) {
  for (const [name, measure] of chooseMeasures(positionals)) await runMeasure(name, measure);
}
if (size === 'full') await writeReport();

function chooseMeasures(names: readonly string[]): [string, Measure][] {
  const unknown = names.find((name) => MEASURES[name] === undefined);
  if (unknown !== undefined) {
    throw new Error(`There is no measure "${unknown}". There are: ${Object.keys(MEASURES).join(', ')}.`);
  }
  return Object.entries(MEASURES).filter(([name]) => names.length === 0 || names.includes(name));
}

async function runMeasure(name: string, measure: Measure): Promise<void> {
  const from = performance.now();
  const result = await measure(size);
  const seconds = Math.round((performance.now() - from) / 1000);
  print(`${name} (${size}, ${seconds} s)`, result);
  if (size === 'quick') return;
  const command = `npm run bench -- ${name}`;
  keepRun(name, { date: new Date().toISOString(), command, seconds, machine: machineHere(), result });
}
