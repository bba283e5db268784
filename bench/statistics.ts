/** Returns a percentile by the nearest-rank method. @param share from 0 to 1: 0.5 is the median */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Returns the value with three significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

export function kilobytes(bytes: number): number {
  return bytes / 1024;
}

export function megabytes(bytes: number): number {
  return bytes / 1024 / 1024;
}
