import { isSignedDecision } from '../audit/signed-record.ts';
import type { DecisionRecord } from '../http/hooks/app-hooks.ts';
import type { AccountRecords } from './account-records.ts';
import type { QrAdmin } from './admin.ts';

/** The records that an export contains besides the latest tickets and blocks. */
export interface ExportSources {
  /** The ids of the accounts. The plugin cannot list them. */
  readonly accounts?: Iterable<string> | AsyncIterable<string>;
  /** The records of `onDecision`, from where you keep them. Each is verified. */
  readonly decisions?: Iterable<DecisionRecord> | AsyncIterable<DecisionRecord>;
}

type Exported = Pick<QrAdmin, 'activity' | 'blocks' | 'account'>;

/** Returns the lines of an export. */
export async function* exportLines(
  { activity, blocks, account }: Exported,
  { accounts = [], decisions = [] }: ExportSources,
): AsyncGenerator<string, void> {
  const { tickets, ...counts } = await activity();
  yield toLine('counts', counts);
  for (const ticket of tickets) yield toLine('ticket', ticket);
  for (const block of await blocks()) yield toLine('block', block);
  for await (const accountId of accounts) yield* accountLines(await account(accountId));
  for await (const record of decisions) yield toLine('decision', { isSigned: await isSignedDecision(record), record });
}

function* accountLines({ accountId, browsers, trusted, apps, passkeys }: AccountRecords): Generator<string, void> {
  const lists = { browser: browsers, trusted, app: apps, passkey: passkeys };
  for (const [type, list] of Object.entries(lists))
    for (const entry of list) yield toLine(type, { accountId, ...entry });
}

function toLine(type: string, record: object): string {
  return `${JSON.stringify({ type, ...record })}\n`;
}
