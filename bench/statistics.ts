/** @param share 0.5 for the median; the nearest rank */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** To three digits that say something. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

export function kilobytes(bytes: number): number {
  return bytes / 1024;
}

export function megabytes(bytes: number): number {
  return bytes / 1024 / 1024;
}
