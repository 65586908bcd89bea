/** What must be so at the end, and of stable after a rollback: criteria with their measures, conditions parsed. */
import { parseCondition } from '#api/condition-text.ts';
import { defaultPlan, defaults } from '#api/defaults.ts';
import { parseDuration } from '#api/duration.ts';
import type { RolloutSpec } from '#api/rollout.ts';
import type { Criterion } from '#api/success.ts';
import { type MeasureInput, resolveMeasure } from './resolve-measure.ts';
import type { RunCriterion, RunRollback, RunSuccess } from './run-spec.ts';

export function resolveSuccess(input: MeasureInput, problems: string[]): RunSuccess {
  const { spec } = input;
  const { success } = spec;
  return {
    criteria: resolveCriteria(input, success?.criteria ?? [], 'spec.success.criteria', problems),
    require: success?.require ?? [],
    onFailure: success?.onFailure ?? defaults.success.onFailure,
    extendByMs: extendByMs(spec),
    maxExtensions: success?.maxExtensions ?? defaults.success.maxExtensions,
  };
}

/** Without a schedule the default plan applies as a whole; with one, an extension is as long as that. */
function extendByMs({ success, schedule }: RolloutSpec): number {
  return parseDuration(success?.extendBy ?? schedule?.end ?? defaultPlan.extendBy);
}

export function resolveRollback(input: MeasureInput, problems: string[]): RunRollback {
  const { rollback, healthSuites } = input.spec;
  const { sla, stages, health, healthSuite, hooks } = rollback;
  if (healthSuite !== undefined && !healthSuites.some(({ name }) => name === healthSuite)) {
    problems.push(`spec.rollback.healthSuite: suite "${healthSuite}" is not in spec.healthSuites`);
  }
  return {
    slaMs: parseDuration(sla),
    stopTrafficMs: parseDuration(stages.stopTraffic),
    verifyMs: parseDuration(stages.verify),
    restoreMs: parseDuration(stages.restore),
    stabilizeMs: parseDuration(stages.stabilize),
    reportMs: parseDuration(stages.report),
    healthUrl: health?.url,
    healthSuite,
    baseline: resolveCriteria(input, rollback.baseline, 'spec.rollback.baseline', problems),
    hooks: hooks.map(({ stage, jobTemplate }, index) => ({
      name: `hook-${index}`,
      stage,
      jobTemplate,
    })),
  };
}

function resolveCriteria(
  input: MeasureInput,
  criteria: readonly Criterion[],
  field: string,
  problems: string[],
): RunCriterion[] {
  return criteria.flatMap((criterion, index) => {
    const where = `${field}[${index}] (${criterion.name})`;
    const measure = resolveMeasure(input, criterion, where, problems);
    if (measure === undefined) return [];
    const { name, condition } = criterion;
    const forMs = parseDuration(criterion.for);
    return [{ name, measure, condition: parseCondition(condition), forMs }];
  });
}
