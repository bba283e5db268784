/** Prints results as text on the terminal. */
import type { Result, Table } from '../measure.ts';
import { GOAL_COLUMNS, goalRow } from './goals.ts';

export function print(title: string, { goals, tables }: Result): void {
  console.log(`\n== ${title}`);
  for (const table of tables) printTable(table);
  if (goals.length > 0) printTable({ title: 'Goals', columns: GOAL_COLUMNS, rows: goals.map(goalRow) });
}

function printTable({ title, columns, rows, note }: Table): void {
  const lines = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const line of lines) console.log(`  ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`);
  if (note !== undefined) console.log(`  (${note})`);
}
