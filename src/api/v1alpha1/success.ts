/** `spec.success`: what must have been so at `end`, and what follows when it was not. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { limits } from './limits.ts';
import { condition, exactlyOneCel, exactlyOneFinding, query, ratioSchema } from './measure.ts';
import { atLeast, count, keyedList, name, setOf } from './scalars.ts';
import { type Plain, twins, withTwins } from './twin.ts';

export const successRequirements = [
  'NoCriticalTriggers',
  'NoCriticalAlerts',
  'NoRollbacks',
  'SnapshotsComplete',
  'MonitoringOperational',
] as const;

const sources = ['metric', 'query', 'ratio', 'suite'] as const;

const criterionObject = z.object({
  name: name('Unique among the criteria of its list.'),
  metric: name('The name of a metric in `analysis.metrics`.').optional(),
  query: query('PromQL that gives one series, in base units.').optional(),
  ratio: ratioSchema.optional(),
  suite: name('The name of a health suite; its pass rate is compared.').optional(),
  condition: condition('What must be so: `"< 0.1%"`.'),
  for: duration('A violation that lasts this long fails the criterion.').default(
    defaults.criterion.for,
  ),
});

export type Criterion = Plain<z.output<typeof criterionObject>>;

export const criterionTwins = twins<Criterion>({
  name: 'criterion-one-source',
  cel: exactlyOneCel(sources),
  check: (criterion) => exactlyOneFinding(criterion, sources),
});

export function criteria(meaning: string) {
  return keyedList(withTwins(criterionObject, criterionTwins), 'name', limits.criteriaMax).describe(
    meaning,
  );
}

export const successSchema = z
  .object({
    criteria: criteria(
      'Judged over the time since the run started, or since its last extension.',
    ).default([]),
    require: setOf(z.enum(successRequirements), successRequirements.length)
      .describe('What else must be so. What is not configured is not required.')
      .default([]),
    onFailure: z
      .enum(['Extend', 'Rollback', 'Hold'])
      .describe('What follows when a criterion is missed.')
      .default(defaults.success.onFailure),
    extendBy: atLeast(
      '1s',
      duration(
        'By how much `end` moves. Default: 48h without a schedule of your own, else `schedule.end`.',
      ),
    ).optional(),
    maxExtensions: count('After so many extensions it is held.', 0, limits.extensionsMax).default(
      defaults.success.maxExtensions,
    ),
    thenMonitorFor: duration(
      'How long 100 % is watched, with stable untouched, after success. Default: 24h without a schedule of your own, else 0s.',
    ).optional(),
  })
  .describe('Success criteria, judged at `end`.');

export type Success = Plain<z.output<typeof successSchema>>;
export type SuccessRequirement = (typeof successRequirements)[number];
