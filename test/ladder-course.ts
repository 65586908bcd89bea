/** Response ladders minute by minute: a run that stands at half of the traffic, what is told of it, and the triggers of the example. */
import { halfForTenHours, MINUTE, type SeriesValue, T0, type TriggerInput } from './builders.ts';
import { EngineHarness } from './engine-harness.ts';

/** The condition is true from this minute on. */
const BREACH = 30;

export interface Setting {
  readonly triggers: readonly TriggerInput[];
  /** By the metric's name, over minutes since the start. */
  readonly series: (minute: number, metric: string) => SeriesValue;
}

export function ladderCourse({ triggers, series }: Setting): EngineHarness {
  return new EngineHarness({
    spec: { schedule: halfForTenHours, triggers: [...triggers] },
    world: { series: (query, atMs) => series((atMs - T0) / MINUTE, query) },
  });
}

/** From BREACH on `value`, before it nothing unusual. */
export const since =
  (value: (minute: number) => number, calm = 0) =>
  (minute: number): number =>
    minute >= BREACH ? value(minute - BREACH) : calm;

/** What is told of ladders, holds and rollbacks. */
const told = new Set([
  'TriggerFired',
  'TriggerResolved',
  'ResponderNotified',
  'ResponseOverdue',
  'SuiteRequested',
  'HoldLifted',
  'HoldEnded',
  'Held',
  'RollbackStarted',
]);

/** At minutes since the start. */
export function story(course: EngineHarness, fromMs = Number.NEGATIVE_INFINITY): string[] {
  return course.events
    .filter(({ at, reason }) => at >= fromMs && told.has(reason))
    .map(({ at, reason }) => `${(at - T0) / MINUTE} ${reason}`);
}

/** What a trigger tells when it begins to hold. */
export const warned = (minute: number) =>
  [`${minute} TriggerFired`, `${minute} Held`, `${minute} ResponderNotified`] as const;

/** What a Continue tells that takes back the only hold. */
export const released = (minute: number) =>
  [`${minute} HoldEnded`, `${minute} HoldLifted`] as const;

/** Who still holds. */
export const holders = ({ status }: EngineHarness): string[] =>
  (status.holds ?? []).map(({ by }) => by);

/** The triggers of examples/genesis-48h.yaml, each by a query of its own name. */
export const serviceDown: TriggerInput = {
  name: 'service-down',
  severity: 'Critical',
  query: 'up',
  condition: '== 0',
  for: '2m',
  onFiring: [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Rollback', after: '1m' }],
  responder: 'hudson',
  runbookUrl: 'https://runbooks.example.com/down',
};

export const errorRateRaised: TriggerInput = {
  name: 'error-rate-raised',
  severity: 'Warning',
  query: 'rate',
  condition: '> 0.1%',
  for: '10m',
  onFiring: [
    { action: 'Hold' },
    { action: 'Notify' },
    { action: 'Rollback', when: 'Worsening', after: '30m' },
    { action: 'Continue', when: 'Improving', after: '30m' },
  ],
  respondWithin: '30m',
  responder: 'alex',
};

export const cpuHigh: TriggerInput = {
  name: 'cpu-high',
  severity: 'Warning',
  query: 'cpu',
  condition: '> 80%',
  for: '15m',
  onFiring: [
    { action: 'Hold' },
    { action: 'Notify' },
    { action: 'Continue', when: 'Steady', after: '30m' },
    { action: 'Continue', when: 'Improving', after: '30m' },
  ],
  respondWithin: '30m',
};

export const memoryHigh: TriggerInput = {
  name: 'memory-high',
  severity: 'Warning',
  query: 'memory',
  condition: '> 80%',
  for: '15m',
  onFiring: [
    { action: 'Hold' },
    { action: 'Notify' },
    { action: 'Rollback', when: 'Worsening', after: '30m' },
    { action: 'Continue', when: 'Steady', after: '30m' },
  ],
};

export const langmemLeak: TriggerInput = {
  name: 'langmem-leak',
  severity: 'Warning',
  query: 'growth',
  condition: '> 1MB',
  for: '15m',
  onFiring: [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Rollback', after: '30m' }],
  respondWithin: '30m',
};
