/**
 * Writes `dist/files.js`: the files that pages load and the texts of all languages, as a module. As parts of a module
 * they are found even after a bundler has put the code into a file of its own. To be run after the other builds.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';

const ROOT = new URL('../', import.meta.url);
const LOCALES = new URL('views/locales/', ROOT);
const ICONS = new URL('views/assets/', ROOT);
const DIST = new URL('dist/', ROOT);
const SCRIPTS = new URL('client/', DIST);

const TYPES = `/** The files that a page may load, by name: text, or base64 in \`pictures\`. */
export declare const texts: Readonly<Record<string, string>>;
export declare const pictures: Readonly<Record<string, string>>;
/** The part of the style sheet that the QR page has in its HTML. */
export declare const qrStyle: string;
/** The files of \`views/locales\`, by language tag. */
export declare const locales: Readonly<Record<string, string>>;
`;

const namesIn = (folder, ...extensions) => readdirSync(folder).filter((file) => extensions.includes(extname(file)));
const read = (folder, name, encoding) => readFileSync(new URL(name, folder), encoding);
const all = (folder, names, encoding) => names.map((name) => [name, read(folder, name, encoding)]);

const texts = Object.fromEntries([
  ...all(
    DIST,
    namesIn(DIST, '.css').filter((name) => name !== 'qr-style.css'),
    'utf8',
  ),
  ...all(SCRIPTS, namesIn(SCRIPTS, '.js'), 'utf8'),
  ...all(ICONS, namesIn(ICONS, '.svg'), 'utf8'),
]);
const pictures = Object.fromEntries(all(ICONS, namesIn(ICONS, '.png'), 'base64'));
const locales = Object.fromEntries(
  all(LOCALES, namesIn(LOCALES, '.json'), 'utf8').map(([file, text]) => [
    basename(file, '.json'),
    JSON.stringify(JSON.parse(text)),
  ]),
);

const qrStyle = read(ROOT, 'dist/qr-style.css', 'utf8').trim();

const constants = Object.entries({ texts, pictures, qrStyle, locales });
const script = constants.map(([name, value]) => `export const ${name} = ${JSON.stringify(value, null, 1)};\n`).join('');
writeFileSync(new URL('files.js', DIST), script);
writeFileSync(new URL('files.d.ts', DIST), TYPES);
