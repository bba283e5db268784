import { type FileHandle, open } from 'node:fs/promises';
import type { DecisionRecord, OnDecision } from '../http/hooks/app-hooks.ts';
import { type AuditEntry, hashLine, parseLine } from './audit-entry.ts';

/** The owner may read and write the file, and its group may read it. */
const FILE_MODE = 0o640;
/** The number of bytes that are first read from the end, to find the last line. A decision takes about 1,500 bytes. */
const TAIL_BYTES = 65_536;

/** The end of a log: the hash of its last line, and the length of the file in bytes. */
interface End {
  readonly head: string;
  readonly size: number;
}

/**
 * An append-only file of signed decisions, with one JSON document on each line. Each line contains the hash of the
 * previous line, so that no line can be changed or removed unnoticed, except at the end: keep `head` elsewhere to
 * notice that, too. Each process needs a file of its own.
 */
export class AuditLog {
  readonly #file: FileHandle;
  readonly #path: string;
  /** Undefined after a failed write, because that may have written a part of a line. */
  #end: End | undefined;
  #head: string;
  /** The most recent append. Appends run one after another. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, end: End) {
    this.#path = path;
    this.#file = file;
    this.#end = end;
    this.#head = end.head;
  }

  /**
   * Opens a log, or begins one. If the process or the machine stopped while a line was written, that line stays as it
   * is, and the next one begins after it.
   * @throws Error if the file cannot be read and written
   */
  static async open(path: string): Promise<AuditLog> {
    const file = await open(path, 'a+', FILE_MODE);
    try {
      return new AuditLog(path, file, await findEnd(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The hash of the last whole line; empty if there is none. */
  get head(): string {
    return this.#head;
  }

  /** The value for the option `onDecision`. A decision counts once it is on the disk. */
  readonly onDecision: OnDecision = (_ctx, record) => this.append(record);

  /**
   * Adds a decision, and waits until it is on the disk.
   * @throws Error if it cannot be written, or if another process has written to the file
   */
  append(record: DecisionRecord): Promise<void> {
    const appended = this.#last.then(() => this.#write(record));
    // A failed append must not prevent the next one.
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  /** Waits for the appends that are under way, and closes the file. */
  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #write(record: DecisionRecord): Promise<void> {
    const { head, size } = this.#end ?? (await findEnd(this.#file));
    if ((await this.#file.stat()).size !== size)
      throw new Error(`another process has written to ${this.#path}: give each process an audit log of its own`);
    const line = JSON.stringify({ previous: head, record } satisfies AuditEntry);
    this.#end = undefined;
    await this.#file.appendFile(`${line}\n`);
    await this.#file.datasync();
    this.#head = hashLine(line);
    this.#end = { head: this.#head, size: size + Buffer.byteLength(line) + 1 };
  }
}

/** Finds the last whole line of a file, and adds the line break if the file does not end with one. */
async function findEnd(file: FileHandle): Promise<End> {
  const { size } = await file.stat();
  for (let length = Math.min(TAIL_BYTES, size); ; length = Math.min(4 * length, size)) {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').split('\n');
    // The bytes that were read may begin in the middle of a line.
    const whole = (length === size ? lines : lines.slice(1)).filter((line) => parseLine(line) !== undefined);
    const last = whole.at(-1);
    if (last === undefined && length < size) continue;
    const isEnded = size === 0 || lines.at(-1) === '';
    if (!isEnded) await file.appendFile('\n');
    return { head: last === undefined ? '' : hashLine(last), size: isEnded ? size : size + 1 };
  }
}
