/** The messages that refuse a wrong option, as the schema writes them. */
import { inspect } from 'node:util';
import type { BaseIssue } from 'valibot';

type Message = (issue: BaseIssue<unknown>) => string;

/** Returns a value as it would be written in a program, on one line: a text has its quotation marks. */
export function written(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1 });
}

/**
 * Returns the message of a strict object, which may have an unknown name or be no object at all.
 * @param kind of the names, such as `option`
 * @param known its keys are the known names
 */
export function refusesUnknown(kind: string, known: object, isNoObject: Message): Message {
  return (issue) =>
    issue.expected === 'never'
      ? `there is no ${kind} ${written(issue.input)}; there are ${Object.keys(known).join(', ')}`
      : isNoObject(issue);
}
