/** Makes lists of facts: each row has a term and its value. */
import { type Child, element, isolate } from '../dom.ts';
import type { Texts } from '../texts.ts';

type Fact = readonly [term: string, value: Child, hint?: string];

export function facts(...rows: readonly (Fact | undefined)[]): HTMLElement {
  const cells = rows.flatMap((row) => {
    if (row === undefined) return [];
    const [term, value, hint] = row;
    return [element('dt', {}, term), element('dd', {}, value, hint !== undefined && element('small', {}, hint))];
  });
  return element('dl', {}, ...cells);
}

/** Returns the text that names the destination of an answer. A native app has a scheme instead of a host. */
export function destination({ t }: Texts, host: string): Child {
  return host.endsWith(':') ? t('confirm.host.app') : isolate(host);
}
