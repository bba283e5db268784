/** A proxy between a process and Redis that recognizes single commands, and disturbs a chosen one. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from './server.ts';

/**
 * The ways to disturb a command. The short suite uses the first one, because that leaves the most unfinished state.
 */
export const HARMS = [
  'the connection is lost after Redis has run the command',
  'the connection is lost before Redis gets the command',
  'Redis runs the command and does not answer',
  'Redis refuses the command',
  'Redis is lost before it gets the command',
  'Redis is lost after it has run the command',
] as const;
export type Harm = (typeof HARMS)[number];

/**
 * Returns the numbers of the commands that a test disturbs in this way. If Redis does not answer, each command takes
 * until the store's time-out, so only the last seven are disturbed.
 */
export function commandsFor(harm: Harm, commands: readonly number[]): readonly number[] {
  return harm === 'Redis runs the command and does not answer' ? commands.slice(-7) : commands;
}

/** The commands that a connection sends by itself, and those that do not belong to a request. */
const NOT_COUNTED = /^(HELLO|AUTH|CLIENT|PING|SELECT|INFO|S?SUBSCRIBE|S?UNSUBSCRIBE)$/i;
const UNKNOWN_COMMAND = '*1\r\n$7\r\nREFUSED\r\n';

interface PlannedHarm {
  readonly at: number;
  readonly harm: Harm;
}

export class CommandProxy {
  readonly port: number;
  readonly url: string;
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections whose answers the proxy drops from now on. */
  readonly #muted = new Set<Socket>();
  #order: PlannedHarm | undefined;
  #seen = 0;
  #refusesConnections = false;

  private constructor(target: number, server: Server) {
    this.#target = target;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `redis://${LOOPBACK}:${this.port}`;
    server.on('connection', (socket) => this.#join(socket));
  }

  static async start(target: number): Promise<CommandProxy> {
    const server = createServer().listen(0, LOOPBACK);
    await once(server, 'listening');
    return new CommandProxy(target, server);
  }

  /** Does harm at the command with this number. The count starts at 1 with the next command. */
  harmAt(at: number, harm: Harm): void {
    this.#seen = 0;
    this.#order = { at, harm };
  }

  /** Returns the number of commands that come while the function runs. */
  async count(act: () => Promise<unknown>): Promise<number> {
    this.harmAt(Number.POSITIVE_INFINITY, 'Redis refuses the command');
    await act();
    this.heal();
    return this.#seen;
  }

  /** True if the command of the last {@link harmAt} has come. */
  get isHarmDone(): boolean {
    return this.#order === undefined;
  }

  /** True if connections are refused. */
  get isLost(): boolean {
    return this.#refusesConnections;
  }

  /** Lets everything through again. @returns true if the harm was done */
  heal(): boolean {
    const { isHarmDone: isHarmed } = this;
    this.#order = undefined;
    this.#refusesConnections = false;
    for (const near of this.#muted) near.resetAndDestroy();
    return isHarmed;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** @param near the connection of the process; `far` leads to Redis */
  #join(near: Socket): void {
    if (this.#refusesConnections) {
      near.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const far = connect({ port: this.#target, host: LOOPBACK, allowHalfOpen: true });
    const line = { near, far, isMuted: false };
    let rest: Buffer = Buffer.alloc(0);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      // An error is followed by `close`, which closes the other side.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#muted.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.on('data', (data) => {
      if (!line.isMuted) near.write(data);
    });
    far.on('end', () => near.destroy());
    near.on('data', (data) => {
      const { commands, left } = commandsIn(Buffer.concat([rest, data]));
      rest = left;
      for (const command of commands) this.#pass(line, command);
    });
  }

  #pass(line: { readonly near: Socket; readonly far: Socket; isMuted: boolean }, command: Buffer): void {
    const { near, far } = line;
    if (near.destroyed || far.destroyed || far.writableEnded) return;
    const harm = this.#harmFor(command);
    if (harm === undefined) {
      far.write(command);
      return;
    }
    if (harm.startsWith('Redis is lost')) this.#refusesConnections = true;
    switch (harm) {
      case 'Redis refuses the command':
        far.write(UNKNOWN_COMMAND);
        break;
      case 'Redis runs the command and does not answer':
        line.isMuted = true;
        this.#muted.add(near);
        far.write(command);
        break;
      case 'the connection is lost before Redis gets the command':
      case 'Redis is lost before it gets the command':
        far.destroy();
        near.resetAndDestroy();
        break;
      default:
        // Redis runs everything that was sent to it before it closes its side.
        line.isMuted = true;
        far.end(command);
    }
  }

  #harmFor(command: Buffer): Harm | undefined {
    if (this.#order === undefined || NOT_COUNTED.test(nameOf(command))) return undefined;
    this.#seen += 1;
    const { at, harm } = this.#order;
    if (this.#seen !== at) return undefined;
    this.#order = undefined;
    return harm;
  }
}

function nameOf(command: Buffer): string {
  return command.toString('latin1').split('\r\n', 3)[2] ?? '';
}

/** Splits what a client has sent into whole commands: arrays of bulk strings in RESP. */
function commandsIn(data: Buffer): { readonly commands: Buffer[]; readonly left: Buffer } {
  const commands: Buffer[] = [];
  let start = 0;
  for (let end = endOfCommand(data, start); end !== undefined; end = endOfCommand(data, start)) {
    commands.push(data.subarray(start, end));
    start = end;
  }
  return { commands, left: data.subarray(start) };
}

function endOfCommand(data: Buffer, start: number): number | undefined {
  const head = numberAt(data, start, '*');
  if (head === undefined) return undefined;
  let at = head.end;
  for (let part = 0; part < head.value; part++) {
    const size = numberAt(data, at, '$');
    if (size === undefined) return undefined;
    at = size.end + size.value + 2;
  }
  return at <= data.length ? at : undefined;
}

function numberAt(
  data: Buffer,
  start: number,
  sign: string,
): { readonly value: number; readonly end: number } | undefined {
  const end = data.indexOf('\r\n', start);
  if (end < 0) return undefined;
  const line = data.toString('latin1', start, end);
  if (!line.startsWith(sign)) throw new Error(`not a command: ${line}`);
  return { value: Number(line.slice(1)), end: end + 2 };
}
