/**
 * Shows that the short suite passes on a busy machine. Runs it three times in a row, or as often as the first argument
 * says, while one process per processor does nothing but burn CPU. Prints for each run if it passed.
 *
 *     npm run test:busy            npm run test:busy -- 1
 */
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const runs = Number(process.argv[2] ?? 3);
const burners = Array.from({ length: availableParallelism() }, () =>
  // The process exits when its parent changes: this process may be killed before it can end the burners.
  spawn(process.execPath, ['-e', `const { ppid } = process; for (;;) if (process.ppid !== ppid) process.exit()`]),
);

const outcomes = [];
try {
  for (let run = 1; run <= runs; run++) {
    const began = performance.now();
    const { status } = spawnSync('npm', ['test'], { stdio: 'inherit' });
    outcomes.push({ passed: status === 0, minutes: (performance.now() - began) / 60_000 });
  }
} finally {
  for (const burner of burners) burner.kill('SIGKILL');
}

console.log(`\n${runs} runs beside ${burners.length} processes that burn CPU:`);
for (const { passed, minutes } of outcomes)
  console.log(`  ${passed ? 'passed' : 'FAILED'} in ${minutes.toFixed(1)} min`);
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
