/** Reads the tables of the model in docs/model from its text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODEL } from './spin.ts';

/** The conditions of a transition, besides the state. */
export interface Facts {
  readonly owner: boolean;
  readonly meets: boolean;
  readonly takesOver: boolean;
  readonly lastTry: boolean;
  readonly offScreen: boolean;
}

/** A row of the table of transitions. */
export interface Row {
  readonly act: string;
  readonly before: string;
  readonly after: string;
  readonly condition: string;
}

const TICKET = modelText('ticket.pml');
const ROW = /^ {2}STEP\((\w+), +(\w+), +(\w+), +([^)]+)\)/gm;

export const ROWS: readonly Row[] = [...TICKET.matchAll(ROW)].map(([, act, before, after, condition]) => ({
  act: nameOf(act),
  before: String(before),
  after: String(after),
  condition: String(condition),
}));

/** Returns the names that the model declares for a kind of thing. */
export function declaredNames(kind: 'act' | 'state'): string[] {
  const [, names = ''] = new RegExp(`^mtype:${kind} = \\{([^}]+)\\}`, 'm').exec(TICKET) ?? [];
  return names.split(',').map(nameOf);
}

export function modelText(file: string): string {
  return readFileSync(join(MODEL, file), 'utf8');
}

/** Returns true if a condition such as `owner && !meets` holds. */
export function holds(condition: string, facts: Facts): boolean {
  return condition.split('&&').every((part) => {
    const [, not = '', name = ''] = /^(!?)(\w+)$/.exec(part.trim()) ?? [];
    if (name !== 'true' && !isFact(name, facts)) throw new Error(`the table has an unknown condition: ${part}`);
    const value = isFact(name, facts) ? facts[name] : true;
    return not === '!' ? !value : value;
  });
}

function isFact(name: string, facts: Facts): name is keyof Facts {
  return Object.hasOwn(facts, name);
}

/** Returns the name of an act or a state. `show` is a keyword of Promela, so the model writes `show_`. */
function nameOf(word: string | undefined): string {
  return String(word).trim().replace(/_$/, '');
}
