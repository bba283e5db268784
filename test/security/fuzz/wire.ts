/** HTTP as bytes on a socket: everything goes out as it is, also what no client would send. */
import { connect } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  /** As they came, in order; names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** A stream never ends by itself: its beginning is enough. */
const STREAM = /\r\ncontent-type: text\/event-stream.*\r\n\r\n.*\n\n/is;

/** Sends it and reads until the server hangs up. @param patience milliseconds without a byte, after which we do */
export function exchange(origin: string, bytes: Buffer, patience: number): Promise<WireAnswer | undefined> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const text = (): string => Buffer.concat(chunks).toString('utf8');
    const socket = connect({ host: hostname, port: Number(port) });
    socket.setTimeout(patience, () => socket.destroy());
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (STREAM.test(text())) socket.destroy();
    });
    socket.on('close', () => resolve(parse(text())));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may hang up while we still talk.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('connect', () => socket.write(bytes));
  });
}

/** @returns undefined where nothing was answered */
function parse(text: string): WireAnswer | undefined {
  // Whoever is asked to go on is asked before the answer.
  const final = text.replace(/^HTTP\/1\.1 1\d\d .*?\r\n\r\n/s, '');
  const end = final.indexOf('\r\n\r\n');
  if (end < 0) {
    if (final !== '') throw new Error(`this is no answer: ${final.slice(0, 200)}`);
    return undefined;
  }
  const [first = '', ...lines] = final.slice(0, end).split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(`${first} `) ?? [];
  if (status === undefined) throw new Error(`this is no answer: ${first}`);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), headers, body: final.slice(end + 4) };
}

export function headerOf(answer: WireAnswer, name: string): string | undefined {
  return answer.headers.find(([candidate]) => candidate === name)?.[1];
}
