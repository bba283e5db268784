/** The types of a measure and its result. A result is plain data; bench/report prints and draws it. */

/** A measured figure with the limit that we promise for it. */
export interface Goal {
  readonly name: string;
  readonly ours: number;
  readonly unit: string;
  /** The figure that `ours` is divided by. Without it, `ours` itself is compared with the limit. */
  readonly against?: { readonly name: string; readonly value: number };
  /** The goal is reached if `ours` divided by `against`, or `ours` itself, is at most this. */
  readonly limit: number;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** One or two sentences that say how the figures were measured. */
  readonly note?: string;
}

export interface Chart {
  readonly title: string;
  readonly kind: 'bars' | 'lines';
  /** The unit of `y`. */
  readonly unit: string;
  readonly series: readonly Series[];
}

interface Series {
  readonly name: string;
  /** The points of a series. `x` is a name in a chart of bars, and a number in a chart of lines. */
  readonly points: readonly { readonly x: string | number; readonly y: number }[];
}

export interface Result {
  readonly goals: readonly Goal[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
}

/** `quick` is about a tenth of `full`: it shows that everything works, but its figures mean nothing. */
export type Size = 'full' | 'quick';

export type Measure = (size: Size) => Promise<Result>;
