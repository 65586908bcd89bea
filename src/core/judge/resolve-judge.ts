/** The judge of a trigger, as a run follows it; what it cannot judge is refused with a sentence. */
import { parseCondition } from '#api/condition-text.ts';
import type { Trigger } from '#api/rollout.ts';
import type { MeasureInput } from '#core/resolve-measure.ts';
import type { CountText, Judge, Measure, RunSpec } from '#core/run-spec.ts';
import { plannedBlocks } from './blocks.ts';
import { logBarOf } from './evidence.ts';
import { judgeSettings } from './settings.ts';

export interface JudgeInput {
  readonly trigger: Pick<Trigger, 'judge' | 'condition'>;
  readonly measure: Measure;
  /** The trigger, as problems name it. */
  readonly where: string;
  readonly plan: Pick<RunSpec, 'points' | 'thenMonitorForMs'>;
}

export function resolveJudge(
  { inspect }: Pick<MeasureInput, 'inspect'>,
  { trigger, measure, where, plan }: JudgeInput,
  problems: string[],
): Judge {
  if (trigger.judge === 'Threshold') return { type: 'Threshold' };
  if (measure.type !== 'ratio') {
    problems.push(`${where}: judge Sequential needs a ratio, whose requests can be counted`);
    return { type: 'Threshold' };
  }
  const count = (side: 'bad' | 'total'): CountText => {
    const facts = inspect(measure[side]);
    // A query that is no PromQL has been named already.
    if (facts.type !== 'ok') return [];
    const counting = facts.counting();
    if (counting.type === 'counted') {
      // Evidence is what was seen; how the traffic is split is told better from what was stretched.
      return side === 'bad' ? counting.seen : counting.increase;
    }
    problems.push(`${where}: judge Sequential counts requests, and in ${side} ${counting.message}`);
    return [];
  };
  return {
    type: 'Sequential',
    counts: { bad: count('bad'), total: count('total') },
    limit: limitOf(trigger.condition, where, problems),
    logBar: logBarOf(judgeSettings.alpha, blocksOf(plan)),
    blockMs: judgeSettings.blockMs,
    lagMs: measure.rangeMs * judgeSettings.lagPerRange,
  };
}

function limitOf(text: string, where: string, problems: string[]): number {
  const { operator, threshold } = parseCondition(text);
  const isAbove = operator === '>' || operator === '>=';
  if (isAbove && threshold > 0 && threshold < 1) return threshold;
  problems.push(
    `${where}: condition ${JSON.stringify(text)}: judge Sequential needs > or >= and a share above 0% and below 100%, such as "> 0.5%": more bad requests than that are a breach where there is no stable to compare with`,
  );
  return 0.5;
}

function blocksOf({ points, thenMonitorForMs }: JudgeInput['plan']): number {
  const steps = points.filter(({ kind }) => kind === 'Step').map(({ atMs }) => atMs);
  const endMs = (points.at(-1)?.atMs ?? 0) + thenMonitorForMs;
  return plannedBlocks(steps, endMs, judgeSettings.blockMs);
}
