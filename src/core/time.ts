/** Instants are ms since the epoch in the core and RFC 3339 strings in status; this is the only place that converts. */

/** `2026-11-22T04:10:00Z`; milliseconds only where there are any. */
export function toIso(atMs: number): string {
  return new Date(atMs).toISOString().replace('.000Z', 'Z');
}

export function fromIso(text: string): number {
  return Date.parse(text);
}

export function fromIsoOptional(text: string | undefined): number | undefined {
  return text === undefined ? undefined : fromIso(text);
}

/** The newest point of the evaluation grid: points are multiples of the interval in Prometheus' time. */
export function tickAt(horizonMs: number, intervalMs: number): number {
  return Math.floor(horizonMs / intervalMs) * intervalMs;
}

/** `12:04:10`, for sentences: the date stands beside it in every place such a sentence is shown. */
export function clockText(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}

/** `5m0s`, `1h2m0s`, `45s`: how Prometheus users read a hold. */
export function spanText(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  const s = seconds % 60;
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}
