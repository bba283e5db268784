import { createHash } from 'node:crypto';
import type { DecisionRecord } from '../http/hooks/app-hooks.ts';

/** One line of an audit log, as JSON. */
export interface AuditEntry {
  /** The SHA-256 of the line before this one, as base64url; empty in the first line. */
  readonly previous: string;
  readonly record: DecisionRecord;
}

/** Returns the SHA-256 of a line without its line break, as base64url. */
export function hashLine(line: string): string {
  return createHash('sha256').update(line).digest('base64url');
}

/**
 * Returns the entry in a line. Returns undefined for a line that is damaged, or incomplete because the process or the
 * machine stopped while writing it.
 */
export function parseLine(line: string): AuditEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return isEntry(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is AuditEntry {
  return typeof value === 'object' && value !== null && 'previous' in value && 'record' in value;
}
