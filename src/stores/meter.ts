/** The name of this package's OpenTelemetry meter. */
const METER = 'oidc-provider-qr-login';

/**
 * The key under which every copy of `@opentelemetry/api` 1.x finds the registered SDK. Reading it here makes that
 * package optional, and works as well if a bundler or a package manager has made a second copy of it.
 */
const REGISTRY: symbol = Symbol.for('opentelemetry.js.api.1');

type Attributes = Readonly<Record<string, string>>;

/** Adds to a counter. */
export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

/** Records a value. */
export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

interface InstrumentOptions {
  /** A UCUM unit, such as `s`. */
  readonly unit: string;
  readonly description: string;
  readonly advice?: { readonly explicitBucketBoundaries: readonly number[] };
}

/** The part of OpenTelemetry's meter that is used here. */
export interface Meter {
  createUpDownCounter(name: string, options: InstrumentOptions): Counter;
  createCounter(name: string, options: InstrumentOptions): Counter;
  createHistogram(name: string, options: InstrumentOptions): Histogram;
}

interface Registry {
  readonly metrics?: { getMeter(name: string): Meter };
}

const NOTHING: Counter & Histogram = { add: () => undefined, record: () => undefined };
const UNMEASURED: Meter = {
  createUpDownCounter: () => NOTHING,
  createCounter: () => NOTHING,
  createHistogram: () => NOTHING,
};

/**
 * Returns the meter of the OpenTelemetry SDK that the deployment has registered. Without one, nothing is measured: an
 * SDK that is registered later does not change the meter.
 */
export function findMeter(): Meter {
  const registry: Registry | undefined = Reflect.get(globalThis, REGISTRY);
  return registry?.metrics?.getMeter(METER) ?? UNMEASURED;
}
