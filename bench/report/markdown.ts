/** Writes the parts of `docs/performance.md` that come from results, each between its markers. */
import type { Chart, Result, Table } from '../measure.ts';
import type { Results } from '../results.ts';
import { GOAL_COLUMNS, goalRow, residentGrowth, UNMEASURABLE, verdictOf } from './goals.ts';

/** The names of the markers for the machine with its versions, and for the goals of all measures. */
export const MACHINE = 'machine';
export const GOALS = 'goals';

type ResultContent = Pick<Result, 'tables' | 'charts'>;

/** Tables for contributors only: `npm run bench -- <measure>` prints them, the page leaves them out. */
const PRINTED_ONLY: readonly RegExp[] = [/^CPU of each request/, /^Where the time of a sign-in/, /^The same by file/];

/** The names of the columns with growth of resident memory and with memory that JavaScript holds, in KB per browser. */
const RESIDENT_COLUMNS: ReadonlySet<string> = new Set(['as it runs', 'collected', 'KB: stream, at the end', 'KB: sum']);
const HELD_COLUMNS: ReadonlySet<string> = new Set(['KB: records']);

/** Marks the servers with a smaller young generation, which show the noise of resident memory and are only printed. */
const SMALL_YOUNG_GENERATION = 'semi-space';

/** Writes a text between the markers of this name. @throws Error if the page has no such markers */
export function fill(page: string, name: string, text: string): string {
  const begin = `<!-- bench: ${name} -->`;
  const end = '<!-- /bench -->';
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`docs/performance.md has no markers "${begin}" … "${end}"`);
  return `${page.slice(0, from)}${begin}\n${text}\n${page.slice(to)}`;
}

export function machineText(results: Results): string {
  const runs = Object.entries(results);
  const [, latest] = runs.reduce((one, other) => (other[1].date > one[1].date ? other : one));
  const { cpu, cores, memory, os, node, redis, packages } = latest.machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const days = [...new Set(runs.map(([, { date }]) => date.slice(0, 10)))].sort();
  return [
    `${cpu}, ${cores} cores, ${memory} GB; ${os}; Node ${node}, Redis ${redis}; ${versions.join(', ')}.`,
    `Measured on ${days.join(', ')}: ${runs.map(([name, { seconds }]) => `${name} (${seconds} s)`).join(', ')}.`,
  ]
    .map(wrapLines)
    .join('\n\n');
}

/** Breaks a text into lines of at most 120 columns. */
function wrapLines(text: string): string {
  return text.replace(/(.{1,120})(?: |$)/g, '$1\n').trimEnd();
}

/** Lists the goals that are missed or not decided; `npm run bench` prints all of them. */
export function goalsText(results: Results): string {
  const goals = Object.values(results).flatMap(({ result }) => result.goals);
  const missed = goals.filter((goal) => verdictOf(goal) === 'MISSED');
  const undecided = goals.filter((goal) => verdictOf(goal) === 'not decided').map(({ name }) => `- ${name}`);
  const reached = goals.length - missed.length - undecided.length;
  return [
    `${reached} of ${goals.length} goals are reached; these are missed:`,
    markdownTable({
      title: '',
      columns: GOAL_COLUMNS.slice(0, -1),
      rows: missed.map((goal) => goalRow(goal).slice(0, -1)),
    }),
    ...(undecided.length === 0 ? [] : [`Not decided, because the figure is ${UNMEASURABLE}:`, undecided.join('\n')]),
  ].join('\n\n');
}

/** Returns the tables and charts of a measure that the page shows, with memory only as far as it can be measured. */
export function selectForPage(measure: string, { tables, charts }: Result): ResultContent {
  const [growth] = tables;
  if (measure !== 'memory' || growth === undefined) {
    return { tables: tables.filter(isForThePage).map(withMeasurableMemory), charts };
  }
  const rows = growth.rows.filter(([server]) => !String(server).includes(SMALL_YOUNG_GENERATION));
  const held = heldTable({ ...growth, rows });
  return { tables: [held, residentTable({ ...growth, rows })], charts: [heldChart(held)] };
}

function isForThePage({ title }: Table): boolean {
  return !PRINTED_ONLY.some((pattern) => pattern.test(title));
}

/** Memory that JavaScript holds is the same in each run, so the page has this table first, and a chart of it. */
function heldTable({ rows }: Table): Table {
  const bare = Number(rows[0]?.[4]);
  return {
    title: 'Held by JavaScript for a waiting browser, KB',
    columns: ['server', 'records', 'stream', 'sum', 'stream, times bare http'],
    rows: rows.map(([server = '', , , records, stream]) => [
      server,
      heldKb(Number(records)),
      heldKb(Number(stream)),
      heldKb(heldKb(Number(records)) + heldKb(Number(stream))),
      heldKb(Number(stream) / bare),
    ]),
  };
}

function residentTable({ rows }: Table): Table {
  return {
    title: 'Growth of resident memory for a waiting browser, KB',
    columns: ['server', 'as it runs', 'after a garbage collection'],
    rows: rows.map(([server = '', running, collected]) => [
      server,
      residentGrowth(Number(running)),
      residentGrowth(Number(collected)),
    ]),
  };
}

function heldChart({ title, rows }: Table): Chart {
  return {
    title: title.replace(', KB', ''),
    kind: 'bars',
    unit: 'KB',
    series: ['records', 'stream'].map((name, at) => ({
      name,
      points: rows.map((row) => ({ x: String(row[0]), y: Number(row[at + 1]) })),
    })),
  };
}

function withMeasurableMemory(table: Table): Table {
  const rows = table.rows.map((row) =>
    row.map((cell, at) => {
      const column = table.columns[at] ?? '';
      if (typeof cell !== 'number') return cell;
      if (RESIDENT_COLUMNS.has(column)) return residentGrowth(cell);
      return HELD_COLUMNS.has(column) ? heldKb(cell) : cell;
    }),
  );
  return { ...table, rows };
}

/** Rounds to 0.01. A few bytes below zero are the noise of the heap. */
function heldKb(value: number): number {
  return Math.max(0, Math.round(value * 100) / 100);
}

/**
 * Leaves out the notes of the tables: the prose of the page says how each was measured.
 * @param pictures files of the charts, in their order
 */
export function measureText({ tables, charts }: ResultContent, pictures: readonly string[]): string {
  const written = tables.map((table) => `**${table.title}**\n\n${markdownTable(table)}`);
  const drawn = charts.map(({ title }, at) => `![${title}](${pictures[at]})`);
  return [...written, ...drawn].join('\n\n');
}

export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
