/** A browser's connection, in which a test can see every byte. */
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { until } from './until.ts';
import type { BrowserPerson } from './world.ts';

export interface StreamRequest {
  readonly method?: string;
  readonly version?: string;
  /** Whole lines, without their end. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** Records the data that arrives from a stream. */
export class StreamRecording {
  readonly source: Readable;
  readonly #chunks: Buffer[] = [];

  constructor(source: Readable) {
    this.source = source;
    source.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    // An error also destroys the stream, which `untilSeen` and `untilEnded` notice.
    source.on('error', () => undefined);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** Waits until this text has arrived. @throws Error if the stream ends before that */
  untilSeen(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!this.text.includes(text) && !this.source.destroyed) return;
        this.source.off('data', look).off('close', look);
        if (this.text.includes(text)) resolve();
        else reject(new Error(`the stream has ended without ${text}:\n${this.text}`));
      };
      this.source.on('data', look).on('close', look);
      look();
    });
  }

  /** Waits until the other side has ended the stream, or it broke. */
  async untilEnded(): Promise<void> {
    await until(() => this.source.destroyed || this.source.readableEnded);
  }
}

export class Wire extends StreamRecording {
  readonly socket: Socket;

  /** @param socket a connected socket */
  constructor(socket: Socket) {
    super(socket);
    this.socket = socket;
  }

  static async to(origin: string, more: Partial<NetConnectOpts> = {}): Promise<Wire> {
    const { hostname, port } = new URL(origin);
    const socket = connect({ ...more, host: hostname, port: Number(port) });
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Opens the event stream of this browser. @param more connection options, such as another local address */
  static async watch(
    browser: BrowserPerson,
    asking: StreamRequest = {},
    more?: Partial<NetConnectOpts>,
  ): Promise<Wire> {
    const wire = await Wire.to(browser.world.origin, more);
    wire.send(await eventsRequest(browser, asking));
    return wire;
  }

  /** The bytes after the head. */
  get body(): Buffer {
    return this.bytes.subarray(this.bytes.indexOf('\r\n\r\n') + 4);
  }

  /** The bytes before the body, decoded as Latin-1. */
  get head(): string {
    return this.bytes.subarray(0, this.bytes.indexOf('\r\n\r\n')).toString('latin1');
  }

  /** Returns the values of a header, one for each line. */
  header(name: string): string[] {
    const lines = this.head.split('\r\n').slice(1);
    const found = lines.filter((line) => line.toLowerCase().startsWith(`${name}: `));
    return found.map((line) => line.slice(name.length + 2));
  }

  send(text: string): void {
    this.socket.write(text);
  }
}

/** Returns the text of the HTTP request for the event stream of this browser. */
export async function eventsRequest(
  { at, agent }: BrowserPerson,
  { method = 'GET', version = '1.1', headers = [], body = '' }: StreamRequest = {},
): Promise<string> {
  const { pathname, host } = new URL(`${at}/qr/events`);
  const lines = [
    `${method} ${pathname} HTTP/${version}`,
    `Host: ${host}`,
    `Cookie: ${await agent.jar.getCookieString(at)}`,
    'Accept: text/event-stream',
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export interface SentEvent {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

/** Parses the body of an event stream by the rules of "Interpreting an event stream" in the HTML standard. */
export function eventsIn(body: Buffer): { events: SentEvent[]; retries: number[] } {
  const events: SentEvent[] = [];
  const retries: number[] = [];
  let [type, data, lastEventId] = ['', '', ''];
  const fields: Record<string, (value: string) => void> = {
    event: (value) => {
      type = value;
    },
    data: (value) => {
      data += `${value}\n`;
    },
    id: (value) => {
      if (!value.includes('\0')) lastEventId = value;
    },
    retry: (value) => {
      if (/^\d+$/.test(value)) retries.push(Number(value));
    },
  };
  // The last part has no line end yet, so it is not a line.
  for (const line of new TextDecoder()
    .decode(body)
    .split(/\r\n|\n|\r/)
    .slice(0, -1)) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    fields[field]?.(value);
    if (line !== '') continue;
    if (data !== '') events.push({ type: type || 'message', data: data.slice(0, -1), lastEventId });
    [type, data] = ['', ''];
  }
  return { events, retries };
}

/** Returns the states of all tickets in the body of an event stream, in order. */
export function statesIn(body: Buffer): unknown[] {
  const tickets = eventsIn(body).events.filter(({ type }) => type === 'ticket');
  return tickets.map(({ data }) => JSON.parse(data).state);
}
