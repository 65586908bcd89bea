/** `spec.rollback`: the five stages of the way back, their budgets, and what proves that it worked. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { limits } from './limits.ts';
import { atLeast, atomicList, foreign, name, url } from './scalars.ts';
import { criteria } from './success.ts';
import type { Plain } from './twin.ts';

export const rollbackStages = ['StopTraffic', 'Verify', 'Restore', 'Stabilize', 'Report'] as const;

const budgets = defaults.rollback.stages;

const budget = (meaning: string, byDefault: string) =>
  atLeast('1s', duration(meaning)).default(byDefault);

export const rollbackSchema = z
  .object({
    sla: atLeast(
      '1s',
      duration('Within this time after the decision all stages shall be done.'),
    ).default(defaults.rollback.sla),
    stages: z
      .object({
        stopTraffic: budget('Weights to 0, read back. Retried without end.', budgets.stopTraffic),
        verify: budget("Stable's health is looked at.", budgets.verify),
        restore: budget('Canary scaled to 0, hooks run.', budgets.restore),
        stabilize: budget('The baseline holds on stable.', budgets.stabilize),
        report: budget('The incident report is written and sent.', budgets.report),
      })
      .describe('The budget of each stage. One over its budget is reported, and the next begins.')
      .prefault({}),
    healthSuite: name('The health suite that stable must pass.').optional(),
    health: z
      .object({ url: url('Must answer 2xx.') })
      .describe("Stable's health endpoint.")
      .optional(),
    baseline: criteria('What must be so on stable again.').default([]),
    hooks: atomicList(
      z.object({
        stage: z.enum(rollbackStages).describe('The stage it runs in.'),
        jobTemplate: foreign('A JobTemplateSpec of batch/v1.'),
      }),
      limits.hooksMax,
    )
      .describe(
        'Jobs that run in a stage: databases, caches, restarts. None delays the first stage.',
      )
      .default([]),
  })
  .describe('The way back.');

export type RollbackSpec = Plain<z.output<typeof rollbackSchema>>;
export type RollbackStageName = (typeof rollbackStages)[number];
