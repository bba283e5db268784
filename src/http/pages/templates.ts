import { Eta } from 'eta/core';
import { pages } from '#pages';

/**
 * Our templates, which are compiled already, and those of the deployment in their place. Only the latter take `eval`.
 * @throws TypeError that says which template is wrong, and where
 */
export function templatesWith(others: readonly ReadonlyMap<string, string>[]): Eta {
  const eta = new Eta();
  for (const [name, template] of Object.entries(pages)) eta.loadTemplate(name, template);
  for (const [name, source] of others.flatMap((templates) => [...templates])) {
    try {
      eta.loadTemplate(name, eta.compile(source));
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : cause;
      throw new TypeError(`the template ${name}.eta cannot be compiled: ${problem}`, { cause });
    }
  }
  return eta;
}
