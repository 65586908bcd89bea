/** Durations as text and as milliseconds: what needs no schema, for programs that have to start at once. */

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** RE2-safe, since the API server checks it too (GEP-2257). */
export const durationPattern = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

export const durationForm = 'a duration such as 90s, 5m, 6h or 1h30m';

/** Milliseconds of a duration. Throws RangeError, with a sentence, on anything else. */
export function parseDuration(text: string): number {
  if (!durationPattern.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} is not ${durationForm}`);
  }
  let totalMs = 0;
  for (const [, count, unit = ''] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    totalMs += Number(count) * (unitMs[unit] ?? 0);
  }
  return totalMs;
}

/** The shortest form of a number of milliseconds: `5400000` is `1h30m`. Fractions of a millisecond are dropped. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  const whole = Math.trunc(ms);
  if (whole < 0) return `-${formatDuration(-whole)}`;
  if (whole === 0) return '0s';
  let rest = whole;
  let text = '';
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
