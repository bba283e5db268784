import { Eta } from 'eta/core';
import { pages } from '#pages';

/**
 * Returns the built-in templates, which were compiled at build time, and the deployment's templates, which take the
 * place of built-in ones with the same name. Only the deployment's templates need `eval`.
 * @throws TypeError if a template cannot be compiled; the message names the template and the place
 */
export function makeTemplates(folders: readonly ReadonlyMap<string, string>[]): Eta {
  const eta = new Eta();
  for (const [name, template] of Object.entries(pages)) eta.loadTemplate(name, template);
  for (const [name, source] of folders.flatMap((templates) => [...templates])) {
    try {
      eta.loadTemplate(name, eta.compile(source));
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : cause;
      throw new TypeError(`the template ${name}.eta cannot be compiled: ${problem}`, { cause });
    }
  }
  return eta;
}
