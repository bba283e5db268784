/** What a measure returns: plain data, printed and drawn by others. */

/** A figure that has been promised. */
export interface Goal {
  readonly name: string;
  readonly ours: number;
  readonly unit: string;
  /** What ours is divided by; without it, ours is judged as it is. */
  readonly against?: { readonly name: string; readonly value: number };
  /** Reached at or below this: of ours divided by `against`, or of ours itself. */
  readonly limit: number;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** How it was measured, in a sentence or two. */
  readonly note?: string;
}

export interface Chart {
  readonly title: string;
  readonly kind: 'bars' | 'lines';
  /** Of `y`. */
  readonly unit: string;
  readonly series: readonly Series[];
}

interface Series {
  readonly name: string;
  /** Bars name their `x`; lines count it. */
  readonly points: readonly { readonly x: string | number; readonly y: number }[];
}

export interface Result {
  readonly goals: readonly Goal[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
}

/** `quick` is about a tenth: it shows that everything works, its figures say nothing. */
export type Size = 'full' | 'quick';

export type Measure = (size: Size) => Promise<Result>;
