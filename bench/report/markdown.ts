/** The parts of pages that are written from results, each between its markers. */
import type { Table } from '../measure.ts';
import type { Results, Run } from '../results.ts';
import { GOAL_COLUMNS, goalRow } from './goals.ts';

/** Where the machine and the versions go, and the goals of all measures. */
export const MACHINE = 'machine';
export const GOALS = 'goals';

/** @throws Error where the page has no place of this name */
export function fill(page: string, name: string, text: string): string {
  const begin = `<!-- bench: ${name} -->`;
  const end = '<!-- /bench -->';
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`There is no place for what was measured: "${begin}" … "${end}"`);
  return `${page.slice(0, from)}${begin}\n${text}\n${page.slice(to)}`;
}

export function machineText(results: Results): string {
  const runs = Object.entries(results);
  const [, latest] = runs.reduce((one, other) => (other[1].date > one[1].date ? other : one));
  const { cpu, cores, memory, os, node, redis, packages } = latest.machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, ${cores} cores, ${memory} GB; ${os}; Node ${node}, Redis ${redis}; ${versions.join(', ')}.`,
    '',
    ...runs.map(
      ([name, { command, date, seconds }]) => `- ${name}: \`${command}\`, ${date.slice(0, 10)}, ${seconds} s`,
    ),
  ].join('\n');
}

export function goalsText(results: Results): string {
  const goals = Object.values(results).flatMap(({ result }) => result.goals);
  return markdownTable({ title: '', columns: GOAL_COLUMNS, rows: goals.map(goalRow) });
}

/** @param pictures files of its charts, in their order */
export function measureText({ result }: Run, pictures: readonly string[]): string {
  const tables = result.tables.map((table) => {
    const note = table.note === undefined ? '' : `\n\n${table.note}`;
    return `**${table.title}**\n\n${markdownTable(table)}${note}`;
  });
  const charts = result.charts.map(({ title }, at) => `![${title}](${pictures[at]})`);
  return [...tables, ...charts].join('\n\n');
}

export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
