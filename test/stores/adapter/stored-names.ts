/** The names of the keys that the adapter writes if it has no secrets. */
import { SealedForm } from '../../../src/stores/adapter/record-form.ts';

const FORM = new SealedForm();

/** Returns the name for a plain key, such as `Session:id`, `uid:<uid>` or `grant:<id>`. */
export function storedName(key: string): string {
  const [kind, value] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
  return kind === 'grant' ? `grant:${FORM.grantName(value)}` : FORM.keyName(key);
}
