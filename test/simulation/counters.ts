/**
 * Counters of requests in a simulated world, which the sequential judge asks: 100 requests a second, split as the route says,
 * scraped once a second. Two in a thousand are bad on either arm, and one in ten in a breach.
 */
import { type TrafficLog, weightAt } from './traffic-log.ts';
import { type Truth, within } from './truth.ts';

export const SEQUENTIAL = 'sequential';

/** As a person would write it; the judge makes counts of it. */
export const countedRatio = {
  bad: 'sum(rate(requests_failed{service="$(arm.service)"}[5s]))',
  total: 'sum(rate(requests_all{service="$(arm.service)"}[5s]))',
} as const;

/** So long a breach is surely found, wherever in a step it begins. */
export const FOUND_WITHIN_MS = 20_000;

const PER_SECOND = 100;
const HEALTHY = 0.002;
const BREACH = 0.1;
const SECOND = 1_000;

/** @returns undefined when the query is none of these counters' */
export function countedAt(
  query: string,
  atMs: number,
  truth: Truth,
  log: TrafficLog,
): number | undefined {
  const match =
    /(rate|increase)\(requests_(failed|all)\{service="(canary|stable)"\}\[([0-9]+)(ms|s)\]/.exec(
      query,
    );
  if (match === null) return undefined;
  const [, what, which, arm, length = '0', unit] = match;
  const rangeMs = Number(length) * (unit === 's' ? SECOND : 1);
  let count = 0;
  let samples = 0;
  const lastMs = Math.floor(atMs / SECOND) * SECOND;
  for (let secondMs = lastMs; secondMs > atMs - rangeMs; secondMs -= SECOND) {
    const weight = weightAt(log, secondMs);
    const requests = (PER_SECOND * (arm === 'canary' ? weight : 100 - weight)) / 100;
    const isBreached = within(arm === 'canary' ? truth.breaches : truth.stableBreaches, secondMs);
    count += which === 'all' ? requests : requests * (isBreached ? BREACH : HEALTHY);
    samples += 1;
  }
  if (what === 'rate') return (count * SECOND) / rangeMs;
  return query.includes('count_over_time') ? count * (1 - 2.2 / (samples + 1.2)) : count;
}

/** Whether a breach is canary's own; undefined: what stable did in the same block may hide it, or there is no traffic. */
export function isWorse(truth: Truth, log: TrafficLog, atMs: number): boolean | undefined {
  const isClouded = truth.stableBreaches.some(({ fromMs }) => fromMs <= atMs);
  if (isClouded || weightAt(log, atMs) === 0) return undefined;
  return within(truth.breaches, atMs);
}

/** Whether canary surely had no breach of its own, with traffic, in the ten minutes before. */
export function wasNeverWorse(truth: Truth, log: TrafficLog, atMs: number): boolean {
  // What has just been lowered had its requests in that very second.
  const isJustLowered = log.changes.some((one) => one.atMs === atMs && one.weight > 0);
  if (isJustLowered && within(truth.breaches, atMs)) return false;
  for (let secondMs = atMs - 600_000; secondMs <= atMs; secondMs += SECOND) {
    if (weightAt(log, secondMs) > 0 && within(truth.breaches, secondMs)) return false;
  }
  return true;
}
