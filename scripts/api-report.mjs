/**
 * Compares the public types of the package with the reports in `api/`, one file for each entry of the package, so that
 * a change of the public API is seen in its diff. Needs the built package.
 *
 *     node scripts/api-report.mjs            fails if a report differs
 *     node scripts/api-report.mjs --write    writes the reports
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const write = process.argv.includes('--write');
const root = resolve(import.meta.dirname, '..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const temporary = mkdtempSync(join(tmpdir(), 'api-'));

const differing = Object.entries(exports)
  .filter(([, { import: entry }]) => entry !== undefined)
  .filter(([entry, { import: files }]) => !report(entry === '.' ? 'index' : entry.slice('./'.length), files.types))
  .map(([entry]) => entry);
rmSync(temporary, { recursive: true });
if (differing.length > 0) {
  console.error(
    `The public types of ${differing.join(', ')} are not those in api/. If the change is meant, run "npm run api" and ` +
      'commit the reports; CONTRIBUTING.md says what a change means for the version.',
  );
  process.exitCode = 1;
}

/** Makes the report of one entry. @returns false if it differs from the one in `api/` */
function report(name, types) {
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: 'nodenext',
            target: 'es2023',
            lib: ['es2023', 'dom', 'dom.asynciterable'],
            types: ['node'],
            skipLibCheck: true,
          },
          include: [join(root, types)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: join(root, 'api'),
        reportTempFolder: temporary,
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // The linter and the compiler check the sources. Here only the report counts.
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
  });
  const result = Extractor.invoke(config, { localBuild: write, messageCallback: silence });
  return result.errorCount === 0 && (write || !result.apiReportChanged);
}

/** Prints errors only: the extractor also reports its progress, and tells to copy files by hand. */
function silence(message) {
  message.handled = message.logLevel !== 'error';
}
