import { open } from 'node:fs/promises';
import type { DecisionRecord } from '../http/hooks/app-hooks.ts';
import { type AuditEntry, hashLine, parseLine } from './audit-entry.ts';
import { isSignedDecision } from './signed-record.ts';

/** A line of an audit log, and the result of its verification. */
export interface VerifiedLine {
  /** Its number, from 1. */
  readonly line: number;
  /** Undefined if the line is torn. */
  readonly record: DecisionRecord | undefined;
  /** The hash of the line, to be compared with a head that was kept elsewhere. */
  readonly hash: string;
  /**
   * Undefined if the line is right.
   *
   * - `torn`: the process or the machine stopped while the line was written, and its decision did not count; or the
   *   line was damaged.
   * - `chain`: the line does not contain the hash of the line before it, because a line was changed, removed or put in
   *   between.
   * - `signature`: the record does not say what the app has signed: ticket, decision, `remember`, `duration`, the
   *   client's id, browser and time. The chain alone covers the other fields.
   */
  readonly problem: 'torn' | 'chain' | 'signature' | undefined;
}

/** A line whose place in the chain was verified, and whose signature was not. */
export interface ChainedLine extends Omit<VerifiedLine, 'problem'> {
  readonly problem: 'torn' | 'chain' | undefined;
}

/**
 * Reads an audit log, and verifies each line: its place in the chain, and the signature of the app.
 * @throws Error if the file cannot be read
 */
export async function* readAuditLog(path: string): AsyncGenerator<VerifiedLine, void> {
  for await (const line of readChain(path)) yield verifySignature(line);
}

/** Reads an audit log, and verifies the place of each line in the chain. @throws Error if the file cannot be read */
export async function* readChain(path: string): AsyncGenerator<ChainedLine, void> {
  const file = await open(path, 'r');
  try {
    let previous = '';
    let line = 0;
    for await (const text of file.readLines()) {
      line += 1;
      const entry = parseLine(text);
      const hash = hashLine(text);
      yield { line, record: entry?.record, hash, problem: findProblem(entry, previous) };
      if (entry !== undefined) previous = hash;
    }
  } finally {
    await file.close();
  }
}

export async function verifySignature(line: ChainedLine): Promise<VerifiedLine> {
  const { record, problem } = line;
  if (problem !== undefined || record === undefined) return line;
  return { ...line, problem: (await isSignedDecision(record)) ? undefined : 'signature' };
}

function findProblem(entry: AuditEntry | undefined, previous: string): ChainedLine['problem'] {
  if (entry === undefined) return 'torn';
  return entry.previous === previous ? undefined : 'chain';
}
