// Makes what reads and draws codes in a page: the package qr without its comments and indentation, which are half of what it weighs.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const QR = 'node_modules/qr';
const TO = 'dist/decoder';
// Files of a page lie side by side, so that their names must say what they are.
const NAMES = { 'decode.js': 'decoder.js', 'index.js': 'encoder.js' };

const { version } = JSON.parse(readFileSync(`${QR}/package.json`, 'utf8'));
const NOTICE = `/*! qr ${version}, (c) 2023 Paul Miller (paulmillr.com), MIT License: see dist/decoder/LICENSE */\n`;

const files = Object.keys(NAMES).map((file) => `${QR}/${file}`);
const options = ['--ignoreConfig', '--allowJs', '--removeComments', '--target', 'es2022', '--module', 'es2022'];
const where = ['--moduleResolution', 'bundler', '--types', '', '--outDir', TO];
execFileSync('tsc', [...files, ...options, ...where], { stdio: 'inherit' });

for (const [file, name] of Object.entries(NAMES)) {
  const lines = readFileSync(`${TO}/${file}`, 'utf8').split('\n');
  rmSync(`${TO}/${file}`);
  // A text over several lines would lose its indentation, too.
  if (lines.some((line) => line.split('`').length % 2 === 0))
    throw new Error(`${file} of qr holds a text over several lines`);
  const script = lines.map((line) => line.trim()).join('\n');
  writeFileSync(`${TO}/${name}`, NOTICE + script.replaceAll("'./index.js'", `'./${NAMES['index.js']}'`));
}
copyFileSync(`${QR}/LICENSE-MIT`, `${TO}/LICENSE`);
