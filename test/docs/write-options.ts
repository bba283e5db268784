/**
 * Updates the facts in `docs/options.md` from the schema that checks the options: `node --import
 * ./scripts/typescript.mjs test/docs/write-options.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultLimits } from '../../src/config/rate-limits.ts';
import { listOptions, type OptionFacts } from '../../src/config/schema.ts';
import { type QrLoginOptions, qrLogin } from '../../src/index.ts';
import { ROOT } from '../support/packed.ts';

export const DOCUMENT: string = join(ROOT, 'docs/options.md');
const NEEDED: QrLoginOptions = { findAccount: () => ({ name: 'Alice' }), signIn: () => '/sign-in' };

/** Returns the page with the facts of each option between the markers of that option. */
export function withFacts(page: string): string {
  const options = listOptions();
  return page.replaceAll(
    /<!-- facts: (\w+) -->\n[\s\S]*?<!-- \/facts -->/g,
    (_, name: string) => `<!-- facts: ${name} -->\n\n${factsOf(name, options[name])}\n\n<!-- /facts -->`,
  );
}

function factsOf(name: string, facts: OptionFacts | undefined): string {
  if (facts === undefined) throw new Error(`there is no option ${name}`);
  const unit = facts.unit === undefined ? '' : `\n| unit, range | ${cell(facts.unit)} |`;
  const table = `| type | ${cell(facts.type)} |\n|---|---|${unit}\n| default | ${cell(facts.default)} |`;
  const limits = name === 'limits' ? `\n\n${limitTable()}` : '';
  const refusals = facts.refused.map((wrong) => `- \`${refusalOf(name, wrong)}\``);
  return `${table}${limits}\n\nRefused with:\n\n${refusals.join('\n')}`;
}

function limitTable(): string {
  const { address, account } = defaultLimits();
  const acts = [...new Set([...Object.keys({ ...address }), ...Object.keys({ ...account })])];
  const row = (by: string, limits: Readonly<Record<string, number | undefined>> = {}): string =>
    `| \`${by}\` | ${acts.map((act) => limits[act] ?? '–').join(' | ')} |`;
  const head = `| default | ${acts.map((act) => `\`${act}\``).join(' | ')} |`;
  return [head, `|---|${acts.map(() => '---|').join('')}`, row('address', address), row('account', account)].join('\n');
}

function refusalOf(name: string, wrong: unknown): string {
  try {
    qrLogin({ ...NEEDED, [name]: wrong });
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  throw new Error(`${name} is not refused`);
}

function cell(markdown: string): string {
  return markdown.replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCUMENT, withFacts(readFileSync(DOCUMENT, 'utf8')));
}
