/** Checks answers. Each answer of a measure is checked, so that a server cannot seem fast because it fails. */
import type { Answer } from '../load/connection.ts';

/** Returns the answer if it has this status. @throws Error that quotes the answer, if it has another status */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${status} was expected: ${answer.status} ${answer.head} ${answer.body.slice(0, 2000)}`);
}

/** Returns the path and query that an answer redirects to. */
export function redirectPathOf(answer: Answer, status = 303): string {
  return pathOf(locationOf(expectStatus(answer, status)));
}

/** Returns the `Location` of an answer. @throws Error if there is none */
export function locationOf({ head }: Answer): string {
  const [, location] = /\r\nlocation: (\S+)/i.exec(head) ?? [];
  if (location === undefined) throw new Error(`the answer has no Location: ${head}`);
  return location;
}

/** Returns the path and query of one of the provider's URLs. */
export function pathOf(address: string): string {
  return address.replace(/^https?:\/\/[^/]+/, '');
}

/**
 * Returns the text that the first group of a pattern matches in an answer's body.
 * @throws Error if there is no match
 */
export function findInBody({ body }: Answer, pattern: RegExp): string {
  const [, found] = pattern.exec(body) ?? [];
  if (found === undefined) throw new Error(`there is no ${pattern} in ${body.slice(0, 2000)}`);
  return found;
}
