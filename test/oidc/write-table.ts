/**
 * Writes the tables of `docs/oidc.md` from the rows that the tests run:
 * `node --import ./scripts/typescript.mjs test/oidc/write-table.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type App,
  type Asks,
  type Observation,
  type PhoneSession,
  type Row,
  type Section,
  TABLE,
  USUAL_PHONE,
} from './table.ts';

export const DOCUMENT: string = fileURLToPath(new URL('../../docs/oidc.md', import.meta.url));

const BEGIN = '<!-- The tables are made by test/oidc/write-table.ts. -->';
const END = '<!-- The tables end here. -->';

const HEADINGS: Readonly<Record<keyof Observation, string>> = {
  unmet: 'Unmet requirement',
  answer: 'The RP gets',
  authTime: '`auth_time`',
  acr: '`acr`',
  amr: '`amr`',
  sub: '`sub`',
  granted: 'Granted',
  lists: 'The phone lists',
  session: 'The session lasts',
  signedIn: 'Signed in afterwards',
  loggedOut: 'Logout tokens for',
  hint: 'Hint shown',
  language: 'Language',
  pages: 'Pages',
};

const CLIENTS: Readonly<Partial<Record<App, string>>> = {
  'pairwise-app': '`subject_type: pairwise`',
  'default-max-age-app': '`default_max_age: 600`',
};

const AS_CODE: ReadonlySet<keyof Observation> = new Set(['answer', 'acr', 'amr']);

/** Returns the document with up-to-date tables. */
export function withTable(text: string): string {
  const [before, rest] = split(text, BEGIN);
  const [, after] = split(rest, END);
  return `${before}${BEGIN}\n\n${TABLE.map(section).join('\n\n')}\n\n${END}${after}`;
}

function split(text: string, marker: string): [string, string] {
  const at = text.indexOf(marker);
  if (at < 0) throw new Error(`docs/oidc.md has no line "${marker}"`);
  return [text.slice(0, at), text.slice(at + marker.length)];
}

function section({ title, columns, rows }: Section): string {
  const headings = ['Case', 'The request', 'The phone', 'The user', ...columns.map((column) => HEADINGS[column])];
  const lines = rows.map((row) => [
    row.what,
    request(row),
    phone(row),
    row.acts.join(', '),
    ...columns.map((column) => cell(column, row.seen[column])),
  ]);
  return [`### ${title}`, '', line(headings), line(headings.map(() => '---')), ...lines.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((text) => (text === '' ? '–' : text)).join(' | ')} |`;
}

function cell(column: keyof Observation, value: string): string {
  return AS_CODE.has(column) && value !== '' ? `\`${value}\`` : value;
}

/** Returns the parameters of the request, and the configuration if it is not the usual one. */
function request({ app = 'app', on = 'usual', asks = {}, before = [] }: Row): string {
  return [
    ...(on === 'usual' ? [] : [`(\`${on}\`)`]),
    ...(CLIENTS[app] === undefined ? [] : [`(${CLIENTS[app]})`]),
    ...(before.length === 0 ? [] : [`(after ${before.length === 1 ? 'a sign-in' : `${before.length} sign-ins`})`]),
    ...requestedParameters(asks).map((parameter) => `\`${shorten(parameter)}\``),
  ].join(' ');
}

function requestedParameters({ parameters = {}, hint, sub, acr, userinfo = [] }: Asks): string[] {
  return [
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
    ...(hint ? [`id_token_hint=${hint}`] : []),
    ...(sub ? [`claims.id_token.sub.value=${sub}`] : []),
    ...(acr ? [`claims.id_token.acr=${JSON.stringify(acr)}`] : []),
    ...userinfo.map((claim) => `claims.userinfo.${claim}`),
  ];
}

function shorten(text: string): string {
  return text.replaceAll(/urn:example:(acr:)?/g, '');
}

function phone({ acts, phone: session = USUAL_PHONE }: Row): string {
  return acts.some((act) => !ON_BROWSER.has(act)) ? describe(session) : '';
}

const ON_BROWSER: ReadonlySet<Row['acts'][number]> = new Set(['cancels', 'allows', 'refuses']);

function describe({ of, since, strong }: PhoneSession): string {
  if (since === 'not signed in') return since;
  return `${of}, ${since}${strong ? ', `strong`' : ''}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8')));
}
