/**
 * Stage 4, Stabilize: the baseline holds on stable, which has all the traffic now. A criterion holds when it was
 * met at every evaluation of the last minute (of its `for` where that is shorter), none of them from before the
 * stage; a suite when a run of it that began in this rollback meets it.
 */
import { formatValue, holds } from '#api/condition-text.ts';
import type { RollbackStage } from '#api/status.ts';
import { fillerFor } from '#core/fill.ts';
import { fillMeasure, readWindow } from '#core/reading.ts';
import type { Measure, RunCriterion } from '#core/run-spec.ts';
import { figureOf } from '#core/suite-reading.ts';
import { fromIso, spanText, tickAt, toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import { lookAtSuite } from './fresh-suite.ts';
import { type Stage, type StageLook, type StageProgress, together } from './stage.ts';

/** A baseline is steady after this long; the whole stage has a budget of minutes. */
const STEADY_MS = 60_000;

export const stabilize: Stage = {
  name: 'Stabilize',
  budgetMs: ({ stabilizeMs }) => stabilizeMs,
  look(view, entry) {
    const { baseline } = view.run.rollback;
    if (baseline.length === 0) {
      return { look: { type: 'skipped', message: 'no baseline is configured' } };
    }
    const parts = baseline.map((criterion) => lookAtCriterion(view, entry, criterion));
    return {
      look: together(parts.map(({ look }) => look)),
      actions: parts.flatMap(({ actions = [] }) => actions),
    };
  },
};

function lookAtCriterion(
  view: RunView,
  entry: RollbackStage,
  criterion: RunCriterion,
): StageProgress {
  const { measure } = criterion;
  return measure.type === 'suite'
    ? lookAtFigure(view, criterion, measure)
    : { look: lookAtReadings(view, entry, criterion) };
}

/** A suite that was run anew for Verify need not run again. */
function lookAtFigure(
  view: RunView,
  { name, condition }: RunCriterion,
  { suite, of }: Extract<Measure, { readonly type: 'suite' }>,
): StageProgress {
  const sinceMs = fromIso(view.status.rollback?.startedAt ?? toIso(view.now));
  return lookAtSuite(view, suite, sinceMs, (result) => {
    const value = figureOf(result, of);
    if (value === undefined) return { isGood: false, message: `${name}: no test was run` };
    const isGood = holds(condition, value);
    const seen = `${name} is ${formatValue(value, condition.unit)}`;
    return { isGood, message: `${seen}, ${isGood ? '' : 'not '}${condition.text}` };
  });
}

function lookAtReadings(
  view: RunView,
  entry: RollbackStage,
  { name, measure, condition, forMs }: RunCriterion,
): StageLook {
  const { run, now, ask } = view;
  const steadyMs = Math.min(forMs, STEADY_MS);
  const endMs = tickAt(now - run.offsetMs, run.intervalMs);
  const bound = Math.ceil(fromIso(entry.startedAt) / run.intervalMs) * run.intervalMs;
  const startMs = Math.max(bound, endMs - Math.ceil(steadyMs / run.intervalMs) * run.intervalMs);
  const wakeAtMs = endMs + run.offsetMs + run.intervalMs;
  if (endMs < bound) {
    return { type: 'waiting', message: `${name} has not been read yet`, wakeAtMs };
  }
  const fill = fillerFor(run, 'stable', { weight: 0, windowMs: now - view.startedAtMs });
  const window = { startMs, endMs, stepMs: run.intervalMs };
  const readings = readWindow(fillMeasure(measure, fill), window, ask);
  if (readings === undefined)
    return { type: 'waiting', message: `${name} is being asked`, wakeAtMs };
  if ('type' in readings) {
    return { type: 'waiting', message: `${name}: ${readings.message}`, wakeAtMs };
  }
  const newest = readings.at(-1)?.reading;
  if (newest?.type !== 'value') {
    const message = `${name} has no reading of stable: ${newest?.message ?? 'none'}`;
    return { type: 'waiting', message, wakeAtMs };
  }
  const seen = `${name} is ${formatValue(newest.value, condition.unit)}`;
  if (!holds(condition, newest.value)) {
    return { type: 'waiting', message: `${seen}, not ${condition.text}`, wakeAtMs };
  }
  const isSteady = readings.every(
    ({ reading }) => reading.type === 'value' && holds(condition, reading.value),
  );
  if (endMs - bound < steadyMs || !isSteady) {
    const message = `${seen}, ${condition.text}, but not yet for ${spanText(steadyMs)}`;
    return { type: 'waiting', message, wakeAtMs };
  }
  return { type: 'succeeded', message: `${seen}, ${condition.text}` };
}
