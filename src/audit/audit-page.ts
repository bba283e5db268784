import { type ChainedLine, readChain, type VerifiedLine, verifySignature } from './read-audit-log.ts';

export interface AuditPageOptions {
  /** The most lines of the page. @default 50 */
  readonly limit?: number;
  /** The page has lines before this one only. @default the end of the log */
  readonly before?: number;
}

/** Some lines of a log, the latest one first. */
export interface AuditPage {
  readonly lines: readonly VerifiedLine[];
  /** The value of `before` for the next page; undefined if this is the last one. */
  readonly next: number | undefined;
}

/**
 * Reads one page of an audit log, the latest lines first. It reads the log from its beginning, because the chain begins
 * there, verifies the signatures of the page alone, and keeps one page in memory: about a second for 50,000 lines.
 * @throws Error if the file cannot be read
 */
export async function readAuditPage(path: string, options: AuditPageOptions = {}): Promise<AuditPage> {
  const { limit = 50, before = Number.POSITIVE_INFINITY } = options;
  const lines: ChainedLine[] = [];
  for await (const line of readChain(path)) {
    if (line.line >= before) break;
    lines.push(line);
    if (lines.length > limit) lines.shift();
  }
  const first = lines[0]?.line ?? 1;
  return { lines: await Promise.all(lines.reverse().map(verifySignature)), next: first > 1 ? first : undefined };
}
