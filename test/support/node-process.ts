/** One node of a provider. It may consist of several processes one after the other, if it is restarted. */
import { bundledProgram } from './bundled-program.ts';
import { Child, type ExitStatus } from './child.ts';
import { EVENT_PREFIX, NODE_OPTIONS_VARIABLE, type NodeEvent, type NodeOptions, READY } from './node-options.ts';
import { LOOPBACK } from './server.ts';

const PROGRAM = 'test/support/node-program.ts';
/** Lets Node run an earlier version from its sources, because an earlier version has no bundle. */
const TYPESCRIPT = ['--import', './scripts/typescript.mjs'];

/** A node that has not stopped after this time is hanging, even on a slow machine, and is killed. */
const STOP_TIMEOUT_MS = 20_000;

export interface NodeProcessOptions {
  readonly name: string;
  readonly options: NodeOptions;
  /** Seconds that its clock is ahead. */
  readonly clockAhead: number;
  /** Milliseconds that its store may take to answer. */
  readonly storePatience: number;
  /** The root of an earlier version of the project, if the node runs that. */
  readonly earlier: string | undefined;
}

export class NodeProcess {
  readonly origin: string;
  #options: NodeOptions;
  readonly #name: string;
  readonly #clockAhead: number;
  readonly #storePatience: number;
  readonly #earlier: string | undefined;
  readonly #processes: Child[] = [];

  constructor({ name, options, clockAhead, storePatience, earlier }: NodeProcessOptions) {
    this.#name = name;
    this.#options = options;
    this.#clockAhead = clockAhead;
    this.#storePatience = storePatience;
    this.#earlier = earlier;
    this.origin = `http://${LOOPBACK}:${options.port}`;
  }

  get options(): NodeOptions {
    return this.#options;
  }

  /** @param changes options that replace those of the previous process */
  async start(changes: Partial<NodeOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...changes };
    const env = {
      ...process.env,
      [NODE_OPTIONS_VARIABLE]: JSON.stringify(this.#options),
      CLOCK_AHEAD: `${this.#clockAhead}`,
      STORE_PATIENCE: `${this.#storePatience}`,
      // No coverage: other tests cover the same code, and writing the coverage takes longer than starting the node.
      NODE_V8_COVERAGE: undefined,
    };
    const program = this.#earlier === undefined ? [bundledProgram(PROGRAM)] : [...TYPESCRIPT, PROGRAM];
    const child = await Child.start(this.#name, [process.execPath, ...program], {
      ready: new RegExp(`^${READY}$`),
      env,
      cwd: this.#earlier ?? new URL('../..', import.meta.url),
    });
    this.#processes.push(child);
  }

  get alive(): boolean {
    return this.#current?.alive ?? false;
  }

  get events(): NodeEvent[] {
    return this.#processes.flatMap(({ lines }) => lines.filter((line) => line.startsWith(EVENT_PREFIX)).map(parse));
  }

  get complaints(): string[] {
    return this.#processes.flatMap(({ complaints }) => complaints.map((line) => `${this.#name}: ${line}`));
  }

  async nextEvent(event: string): Promise<NodeEvent> {
    if (this.#current === undefined) throw new Error(`${this.#name} was never started`);
    return parse(await this.#current.nextLine(new RegExp(`^${EVENT_PREFIX}.*"event":"${event}"`)));
  }

  pause(): void {
    this.#current?.pause();
  }

  resume(): void {
    this.#current?.resume();
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<ExitStatus | undefined> {
    return this.#current?.end(signal);
  }

  /** Stops the node with SIGTERM, or with SIGKILL if it takes too long. */
  async stop(): Promise<void> {
    this.resume();
    const impatient = setTimeout(() => this.end('SIGKILL'), STOP_TIMEOUT_MS);
    await this.end('SIGTERM');
    clearTimeout(impatient);
  }

  get #current(): Child | undefined {
    return this.#processes.at(-1);
  }
}

function parse(line: string): NodeEvent {
  return JSON.parse(line.slice(EVENT_PREFIX.length));
}
