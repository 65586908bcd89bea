/** `spec` of a GenesisRollout, before the rules that span its parts. */
import { z } from 'zod';
import { analysisSchema } from './analysis.ts';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { healthSuiteSchema } from './health-suite.ts';
import { limits } from './limits.ts';
import { monitoringSchema } from './monitoring.ts';
import { notifyListSchema } from './notify.ts';
import { preflightSchema } from './preflight.ts';
import { rollbackSchema } from './rollback.ts';
import { atLeast, count, keyedList, text } from './scalars.ts';
import { scheduleSchema } from './schedule.ts';
import { successSchema } from './success.ts';
import { trafficSchema, workloadSchema } from './traffic.ts';
import { canaryDownSchema, triggerSchema } from './trigger.ts';
import type { Plain } from './twin.ts';

export const rolloutSpecObject = z
  .object({
    revision: text(
      'Any string; a change starts a new run. With `workload` it defaults to the identity of the pod template. A string: `1.10` wants quotes.',
      limits.revisionLengthMax,
    ).optional(),
    paused: z
      .boolean()
      .describe('Holds the schedule, keeps watching, still rolls back.')
      .default(defaults.paused),
    workload: workloadSchema.optional(),
    traffic: trafficSchema,
    schedule: scheduleSchema.optional(),
    analysis: analysisSchema.prefault({}),
    triggers: keyedList(triggerSchema, 'name', limits.triggersMax)
      .describe('What rolls back, holds, or tells.')
      .default([]),
    canaryDown: canaryDownSchema.prefault({}),
    healthSuites: keyedList(healthSuiteSchema, 'name', limits.suitesMax)
      .describe('Suites of tests that are run in mid-rollout.')
      .default([]),
    success: successSchema.prefault({}),
    preflight: preflightSchema.prefault({}),
    rollback: rollbackSchema.prefault({}),
    snapshots: z
      .object({
        interval: atLeast('1s', duration('How often all measurements are recorded.')).default(
          defaults.snapshots.interval,
        ),
        keepRuns: count('Of how many runs the records are kept.', 1, limits.keepRunsMax).default(
          defaults.snapshots.keepRuns,
        ),
      })
      .describe('The record of everything that was measured.')
      .prefault({}),
    monitoring: monitoringSchema.optional(),
    notify: notifyListSchema.default([]),
    onNewRevision: z
      .enum(['Restart', 'Queue', 'Reject'])
      .describe(
        'What a new revision does while a run goes on. `Restart`: weight 0 first, then a new run.',
      )
      .default(defaults.onNewRevision),
    deletionPolicy: z
      .enum(['RestoreStable', 'KeepTraffic'])
      .describe('What happens to traffic when the object is deleted.')
      .default(defaults.deletionPolicy),
    historyLimit: count('How many past runs stay in status.', 0, limits.historyMax).default(
      defaults.historyLimit,
    ),
  })
  .describe('What is rolled out, by which plan, and what stops it.');

export type RolloutSpec = Plain<z.output<typeof rolloutSpecObject>>;

/** What the API server sends, before defaults: what a person writes. */
export type RolloutSpecInput = Plain<z.input<typeof rolloutSpecObject>>;

export type Workload = NonNullable<RolloutSpec['workload']>;
export type Snapshots = RolloutSpec['snapshots'];
