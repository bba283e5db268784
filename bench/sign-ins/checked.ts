/** Each answer is looked at: a server must not be fast by failing. */
import type { Answer } from '../load/connection.ts';

/** @throws Error that shows the answer, where it is another than expected */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${status} was expected: ${answer.status} ${answer.head} ${answer.body.slice(0, 2000)}`);
}

/** Where an answer leads, as a path with its query. */
export function leadsTo(answer: Answer, status = 303): string {
  return pathOf(locationOf(expectStatus(answer, status)));
}

/** @throws Error where it leads nowhere */
export function locationOf({ head }: Answer): string {
  const [, location] = /\r\nlocation: (\S+)/i.exec(head) ?? [];
  if (location === undefined) throw new Error(`that leads nowhere: ${head}`);
  return location;
}

/** The path and query of an address of the provider's. */
export function pathOf(address: string): string {
  return address.replace(/^https?:\/\/[^/]+/, '');
}

/** What the first group of a pattern stands for on a page. */
export function foundIn({ body }: Answer, pattern: RegExp): string {
  const [, found] = pattern.exec(body) ?? [];
  if (found === undefined) throw new Error(`there is no ${pattern} in ${body.slice(0, 2000)}`);
  return found;
}
