/** Lists of facts: a term and its value in each row. */
import { type Child, element, name } from '../dom.ts';
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

/** Returns the destination of an answer to display. A native app has a scheme instead of a host. */
export function destination({ t }: Texts, host: string): Child {
  return host.endsWith(':') ? t('confirm.host.app') : name(host);
}
