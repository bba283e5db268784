/**
 * Builds the pages' scripts: one file for each page, and one for each part that a page loads only when it needs it.
 * With `--source-maps`, coverage can report the lines of `src/client`.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { rolldown } from 'rolldown';

const SOURCE = 'src/client';
const TARGET = 'dist/client';
const SCRIPTS = [
  'browser',
  'phone',
  'scan',
  'problem',
  'devices',
  'enrolment/enrol-by-phone',
  'enrolment/ask-phone',
  'phone/notify-phone',
  'worker/push-worker',
  'browser-key',
  'own-passkey/browser-passkey',
  'own-passkey/passkey-menu',
  'code/draw-code',
  'passkey-json',
  'camera/decoder',
];

const QR = 'node_modules/qr';
const { version } = JSON.parse(readFileSync(`${QR}/package.json`, 'utf8'));
const NOTICE = `/*! qr ${version}, (c) 2023 Paul Miller (paulmillr.com), MIT License: see dist/client/LICENSE-qr */`;

/** A plugin that leaves `import('./part.ts')` in the script, as a request for the file of that part. */
const loadLater = {
  name: 'load-later',
  resolveDynamicImport: (path) => ({ id: `./${basename(path, '.ts')}.js`, external: true }),
};

const sourcemap = process.argv.includes('--source-maps');
for (const script of SCRIPTS) {
  const bundle = await rolldown({ input: `${SOURCE}/${script}.ts`, platform: 'browser', plugins: [loadLater] });
  const { output } = await bundle.write({
    file: `${TARGET}/${basename(script)}.js`,
    format: 'esm',
    codeSplitting: false,
    minify: true,
    sourcemap,
    postBanner: ({ moduleIds }) => (moduleIds.some((id) => id.includes(QR)) ? NOTICE : ''),
  });
  if (output.some(({ type, imports }) => type === 'chunk' && imports.length > 0))
    throw new Error(`${script}.js imports another script at once`);
  await bundle.close();
}
copyFileSync(`${QR}/LICENSE-MIT`, `${TARGET}/LICENSE-qr`);
