import { constants, crc32, deflateRawSync, type ZlibOptions } from 'node:zlib';

/** The header of a gzip file without a name or a time (RFC 1952, section 2.3). */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** The most bytes in one stored block (RFC 1951, section 3.2.4). */
const MAX_STORED_BYTES = 0xffff;

/** A part of a page that is compressed by itself. */
export interface Part {
  readonly text: string;
  /** Its blocks (RFC 1951), which refer to no data before them. */
  readonly blocks: Buffer;
}

/** The compression of a part that is compressed only once. */
export const SMALLEST: ZlibOptions = { level: 9 };
/**
 * The compression of a part of a few KB that is compressed again for each page. Compared with {@link SMALLEST}, a drawn
 * code gets 40 bytes larger, but takes half the time. With its defaults, zlib would allocate buffers of 256 KB each
 * time.
 */
export const QUICK: ZlibOptions = { level: 4, windowBits: 12, memLevel: 6 };

export function compressPart(text: string, options: ZlibOptions): Part {
  return { text, blocks: deflateRawSync(text, { ...options, finishFlush: constants.Z_FULL_FLUSH }) };
}

/**
 * Returns a page as a gzip file in which only these parts are compressed, each by itself, and everything else is stored
 * as it is. If the whole page were compressed, the length of the answer would show how much the data of the request
 * resembles the secrets in the page (BREACH).
 * @param parts in their order in the page; a part that the page does not have is left out
 * @returns undefined if the page has none of the parts
 */
export function compressParts(page: string, parts: readonly Part[]): Buffer | undefined {
  const chunks: Buffer[] = [GZIP_HEADER];
  let rest = page;
  for (const { text, blocks } of parts) {
    const at = text === '' ? -1 : rest.indexOf(text);
    if (at < 0) continue;
    chunks.push(...storeBlocks(Buffer.from(rest.slice(0, at)), false), blocks);
    rest = rest.slice(at + text.length);
  }
  if (rest === page) return undefined;
  const whole = Buffer.from(page);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(whole), 0);
  end.writeUInt32LE(whole.length, 4);
  return Buffer.concat([...chunks, ...storeBlocks(Buffer.from(rest), true), end]);
}

/** Returns bytes as stored blocks. @param isLast true if the last of them ends the file */
function storeBlocks(bytes: Buffer, isLast: boolean): Buffer[] {
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
