/** Instants and lengths of time, as short as they can be read. Every instant is UTC. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `5s`, `2m10s`, `3h12m`, `2d4h`: two units at the most, as kubectl does it. */
export function lengthText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / SECOND_MS);
  const rows = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ] as const;
  const first = rows.findIndex(([, count]) => count > 0);
  if (first === -1) return '0s';
  const shown = rows.slice(first, first + 2).filter(([, count]) => count > 0);
  return shown.map(([unit, count]) => `${count}${unit}`).join('');
}

/** `in 3h12m`, `5m ago`, `now`. */
export function fromNowText(atMs: number, nowMs: number): string {
  const leftMs = atMs - nowMs;
  if (Math.abs(leftMs) < SECOND_MS / 2) return 'now';
  return leftMs > 0 ? `in ${lengthText(leftMs)}` : `${lengthText(leftMs)} ago`;
}

/** `2026-11-22 18:00:05`. */
export function instantText(atMs: number): string {
  return isoOf(atMs).slice(0, 19).replace('T', ' ');
}

/** `11-22 18:00:05`; the year where it is not that of `nowMs`. */
export function shortText(atMs: number, nowMs: number): string {
  const text = instantText(atMs);
  return text.slice(0, 5) === instantText(nowMs).slice(0, 5) ? text.slice(5) : text;
}

/** `18:00` on the same day, else `11-22 18:00`. */
export function minuteText(atMs: number, nowMs: number): string {
  const isToday = Math.floor(atMs / DAY_MS) === Math.floor(nowMs / DAY_MS);
  return isToday ? instantText(atMs).slice(11, 16) : shortText(atMs, nowMs).slice(0, -3);
}

/** Years that a Date cannot have are those of a broken status. */
function isoOf(atMs: number): string {
  const limitMs = 8.64e15;
  return new Date(Math.max(-limitMs, Math.min(limitMs, atMs))).toISOString();
}
