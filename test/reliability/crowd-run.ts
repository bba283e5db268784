/**
 * Runs the crowd test (many users sign in while a fault recurs) by hand:
 * `npm run crowd -- [seconds] [sign-ins a second] [row …]`, by default 40 s, 15 a second and every fault. Prints a row
 * of the table in `docs/reliability.md` for each fault. Prints lost sign-ins and slow answers on the error output. The
 * figures are meaningful only on an idle machine.
 */
import { type CrowdCount, runCrowd } from './crowd.ts';
import { CROWD_FAULTS } from './crowd-faults.ts';

interface Bundler {
  readonly bundlePrograms: () => Promise<void>;
}

// Imported dynamically, because the scripts are JavaScript without type declarations.
const bundler: Bundler = await import(new URL('../../scripts/bundle-programs.mjs', import.meta.url).href);
await bundler.bundlePrograms();

const [seconds = '40', rate = '15', ...chosen] = process.argv.slice(2);
const size = { seconds: Number(seconds), rate: Number(rate) };
/** The most descriptions that are printed for each kind of failure. */
const MOST_LINES = 15;

for (const [index, fault] of CROWD_FAULTS.entries()) {
  if (chosen.length > 0 && !chosen.includes(`${index}`)) continue;
  const count = await runCrowd(fault, size);
  say(`| ${[fault.what, ...figuresOf(count)].join(' | ')} |`);
  process.stderr.write(`slowest: ${count.traffic.slowest}\n`);
  for (const kind of ['lost', 'notApproved', 'wrong', 'double', 'unanswered', 'unexplained'] as const) {
    for (const what of count[kind].slice(0, MOST_LINES)) process.stderr.write(`${kind}: ${what}\n`);
  }
}
// Streams of browsers whose sign-in has ended may still be open.
process.exit(0);

function figuresOf({ traffic, ...count }: CrowdCount): (string | number)[] {
  const { signIns, faults, lost, askedAgain, notApproved, wrong, double, unanswered, unexplained } = count;
  const lists = [lost, wrong, double, unanswered, unexplained].map(({ length }) => length);
  const seconds = (traffic.longest / 1000).toFixed(1);
  return [signIns, faults, ...lists, askedAgain, notApproved.length, traffic.repeated, `${seconds} s`];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
