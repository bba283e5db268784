/**
 * Builds the QR decoder and the QR encoder that the pages load. Both are files of the package `qr`, without comments
 * and indentation, which are half of their size.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const QR = 'node_modules/qr';
const TARGET = 'dist/decoder';
// A page's scripts lie side by side in one folder, so that each name must say what the file is.
const NAMES = { 'decode.js': 'decoder.js', 'index.js': 'encoder.js' };

const { version } = JSON.parse(readFileSync(`${QR}/package.json`, 'utf8'));
const NOTICE = `/*! qr ${version}, (c) 2023 Paul Miller (paulmillr.com), MIT License: see dist/decoder/LICENSE */\n`;

const files = Object.keys(NAMES).map((file) => `${QR}/${file}`);
const options = ['--ignoreConfig', '--allowJs', '--removeComments', '--target', 'es2022', '--module', 'es2022'];
const output = ['--moduleResolution', 'bundler', '--types', '', '--outDir', TARGET];
execFileSync('tsc', [...files, ...options, ...output], { stdio: 'inherit' });

for (const [file, name] of Object.entries(NAMES)) {
  const lines = readFileSync(`${TARGET}/${file}`, 'utf8').split('\n');
  rmSync(`${TARGET}/${file}`);
  // Removing indentation would also change a template literal that spans several lines.
  if (lines.some((line) => line.split('`').length % 2 === 0))
    throw new Error(`${file} of qr holds a template literal that spans several lines`);
  const script = lines.map((line) => line.trim()).join('\n');
  writeFileSync(`${TARGET}/${name}`, NOTICE + script.replaceAll("'./index.js'", `'./${NAMES['index.js']}'`));
}
copyFileSync(`${QR}/LICENSE-MIT`, `${TARGET}/LICENSE`);
