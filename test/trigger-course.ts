/** The trigger `errors` over seconds: a run that stands at half of the traffic, and when it fired and was rolled back. */
import type { RolloutSpecInput } from '#api/rollout.ts';
import {
  errorsTrigger,
  halfForTenHours,
  SECOND,
  type SeriesValue,
  T0,
  type TriggerInput,
} from './builders.ts';
import { EngineHarness, type World } from './engine-harness.ts';

export interface Setting {
  readonly trigger?: Partial<TriggerInput>;
  readonly analysis?: RolloutSpecInput['analysis'];
  /** Canary's error rate over the seconds since the start. */
  readonly errors: (second: number) => SeriesValue;
  readonly world?: Partial<World>;
  readonly startAt?: number;
}

export function triggerCourse({
  trigger,
  analysis,
  errors,
  world,
  startAt = T0,
}: Setting): EngineHarness {
  return new EngineHarness({
    startAt,
    spec: {
      schedule: halfForTenHours,
      triggers: [{ ...errorsTrigger, ...trigger }],
      ...(analysis === undefined ? {} : { analysis }),
    },
    world: {
      series: (query, atMs) => (query.includes('"new"') ? errors((atMs - startAt) / SECOND) : 0),
      ...world,
    },
  });
}

/** A second of the run as the status has it. */
export const iso = (seconds: number) =>
  new Date(T0 + seconds * SECOND).toISOString().replace('.000Z', 'Z');

export const within = (second: number, from: number, to: number) => second >= from && second < to;

/** The condition is true from the 600th second on. */
export const since600 = (second: number): SeriesValue => (second >= 600 ? 1 : 0);

/** The same, with nothing stored in between. */
export const gap =
  (from: number, to: number) =>
  (second: number): SeriesValue =>
    within(second, from, to) ? 'absent' : since600(second);

/** When the rollback was decided and what the trigger then said, in seconds since the start. */
export function outcome(run: EngineHarness) {
  const { rollback } = run.status;
  const seconds = (text: string | undefined) =>
    text === undefined ? undefined : (Date.parse(text) - T0) / SECOND;
  return {
    decided: seconds(rollback?.startedAt),
    active: seconds(run.trigger()?.activeAt),
    fired: seconds(run.trigger()?.firingAt),
  };
}
