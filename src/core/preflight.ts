/**
 * What must work before a run may start. The chain of every trigger that can act is proved with a real
 * reading; where canary has no traffic yet, on the stable arm, with the same query.
 */
import { fillerFor } from './fill.ts';
import { fillMeasure, readAt } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { tickAt } from './time.ts';
import type { RunView } from './view.ts';

/** @returns a sentence for each broken link; empty when all is well */
export function preflightProblems(view: RunView): string[] {
  const { run, now, snapshot } = view;
  if (run.preflight === 'Skip') return [];
  const holds = view.holds.filter((hold) => hold.reason !== 'Paused').map((hold) => hold.message);
  const atMs = tickAt(now - run.offsetMs, run.intervalMs);
  const chain = run.triggers
    .filter((trigger) => trigger.severity !== 'Info')
    .flatMap((trigger) => chainProblem(view, trigger, atMs) ?? []);
  const canary =
    snapshot.ready.canary === 0
      ? [`Service ${run.canary?.service ?? ''} (canary) has no Ready endpoint`]
      : [];
  return [...new Set([...holds, ...canary, ...chain])];
}

function chainProblem(view: RunView, trigger: RunTrigger, atMs: number): string | undefined {
  const { run, now } = view;
  const read = (arm: 'stable' | 'canary') => {
    const moment = { weight: view.weight ?? 0, windowMs: now - view.startedAtMs };
    return readAt(fillMeasure(trigger.measure, fillerFor(run, arm, moment)), atMs, view.ask);
  };
  const canary = read('canary');
  if (canary === undefined) return `${trigger.name}: not asked yet`;
  if (canary.type === 'value') return undefined;
  if (canary.type === 'error') return `${trigger.name}: ${canary.message}`;
  if (!trigger.measure.isArmBound || (view.weight ?? 0) > 0) {
    return `${trigger.name}: ${canary.message}; is the metric exported and scraped?`;
  }
  const stable = read('stable');
  if (stable === undefined) return `${trigger.name}: not asked of stable yet`;
  if (stable.type === 'value') return undefined;
  return `${trigger.name}: ${stable.message}, for stable too, so the metric chain is not proved; is the metric exported, scraped and labelled as the query expects?`;
}
