import { constants, crc32, deflateRawSync } from 'node:zlib';

/** The header of a gzip file without a name or a time (RFC 1952, section 2.3). */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** The most bytes in one stored block (RFC 1951, section 3.2.4). */
const MAX_STORED_BYTES = 0xffff;

/**
 * A fixed part of pages, which is sent compressed, while everything around it is sent as it is. The length of an answer
 * then tells nothing about the data in the page, as it would if the page were compressed as a whole (BREACH).
 */
export class FixedPart {
  readonly #text: string;
  /** The blocks of the part, complete and without references to what precedes them. */
  readonly #blocks: Buffer;

  constructor(text: string) {
    this.#text = text;
    this.#blocks = deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
  }

  /**
   * Returns the page as a gzip file in which this part alone is compressed; undefined if the page does not have it.
   */
  compressIn(page: string): Buffer | undefined {
    const at = this.#text === '' ? -1 : page.indexOf(this.#text);
    if (at < 0) return undefined;
    const before = Buffer.from(page.slice(0, at));
    const after = Buffer.from(page.slice(at + this.#text.length));
    const end = Buffer.alloc(8);
    const whole = Buffer.from(page);
    end.writeUInt32LE(crc32(whole), 0);
    end.writeUInt32LE(whole.length, 4);
    return Buffer.concat([GZIP_HEADER, ...stored(before, false), this.#blocks, ...stored(after, true), end]);
  }
}

/** Returns bytes as stored blocks. @param isLast true if the last of them ends the file */
function stored(bytes: Buffer, isLast: boolean): Buffer[] {
  const blocks: Buffer[] = [];
  for (let from = 0; from === 0 || from < bytes.length; from += MAX_STORED_BYTES) {
    const part = bytes.subarray(from, from + MAX_STORED_BYTES);
    const header = Buffer.alloc(5);
    header.writeUInt8(isLast && from + MAX_STORED_BYTES >= bytes.length ? 1 : 0, 0);
    header.writeUInt16LE(part.length, 1);
    header.writeUInt16LE(0xffff - part.length, 3);
    blocks.push(header, part);
  }
  return blocks;
}
