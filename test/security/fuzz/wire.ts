/** Sends HTTP as bytes on a socket, without changes, even if no client would send them. */
import { connect } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  /** In the order in which they arrived, with names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** The first bytes of an event stream. The reader stops there, because a stream never ends without a cause. */
const STREAM = /\r\ncontent-type: text\/event-stream.*\r\n\r\n.*\n\n/is;

/** Sends the bytes and reads until the server closes the connection, or until no byte arrives for `timeoutMs`. */
export function exchange(origin: string, bytes: Buffer, timeoutMs: number): Promise<WireAnswer | undefined> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const text = (): string => Buffer.concat(chunks).toString('utf8');
    const socket = connect({ host: hostname, port: Number(port) });
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (STREAM.test(text())) socket.destroy();
    });
    socket.on('close', () => resolve(parse(text())));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may close the connection while the request is still being sent.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('connect', () => socket.write(bytes));
  });
}

/** Parses the answer. @returns undefined if there was none */
function parse(text: string): WireAnswer | undefined {
  // An interim answer, such as 100 Continue, precedes the final one.
  const final = text.replace(/^HTTP\/1\.1 1\d\d .*?\r\n\r\n/s, '');
  const end = final.indexOf('\r\n\r\n');
  if (end < 0) {
    if (final !== '') throw new Error(`this is not an HTTP answer: ${final.slice(0, 200)}`);
    return undefined;
  }
  const [first = '', ...lines] = final.slice(0, end).split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(`${first} `) ?? [];
  if (status === undefined) throw new Error(`this is not an HTTP answer: ${first}`);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), headers, body: final.slice(end + 4) };
}

export function headerOf(answer: WireAnswer, name: string): string | undefined {
  return answer.headers.find(([candidate]) => candidate === name)?.[1];
}
