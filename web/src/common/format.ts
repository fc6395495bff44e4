/** Numbers and counts for people. */

/** `1 row`, `3 rows`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Seconds with as many digits as matter. */
export function seconds(value: number): string {
  if (value < 0.01) return "under 0.01 s";
  if (value < 1) return `${value.toFixed(2)} s`;
  if (value < 60) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

/** Megabytes as a person reads them. */
export function megabytes(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} GB` : `${Math.round(value)} MB`;
}

/** A probability in words of counting: 0.82 is "about 82 in 100". */
export function likelihood(value: number): string {
  return `about ${Math.min(99, Math.max(1, Math.round(value * 100)))} in 100`;
}
