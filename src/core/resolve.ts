/**
 * From a spec to what a run follows: the plan resolved, every default filled in, references followed,
 * queries inspected. What this version cannot carry out is refused here with a sentence, never ignored.
 */
import { defaultPlan } from '#api/defaults.ts';
import { parseDuration } from '#api/duration.ts';
import type { RolloutSpec } from '#api/rollout.ts';
import { resolveJudge } from './judge/resolve-judge.ts';
import { resolveRollback, resolveSuccess } from './resolve-criteria.ts';
import { type MeasureInput, resolveMeasure } from './resolve-measure.ts';
import { resolveMetrics } from './resolve-metrics.ts';
import { type OutsideChecks, outsideProblems } from './resolve-outside.ts';
import { resolveFreezes, resolvePoints } from './resolve-plan.ts';
import { resolveSuites } from './resolve-suites.ts';
import { resolveRestarts, resolveTargets } from './resolve-targets.ts';
import { comparisonProblem, resolveTrigger } from './resolve-trigger.ts';
import { digestOf } from './run-id.ts';
import type { RunBacktest, RunChain, RunServiceMonitor, RunSpec } from './run-spec.ts';
import type { ResolvedSpec } from './snapshot.ts';
import { unsupported } from './unsupported.ts';

export interface ResolveInput extends MeasureInput, OutsideChecks {
  readonly namespace: string;
  readonly name: string;
}

/** Throws nothing on a spec that has passed its schema. */
export function resolveSpec(input: ResolveInput): ResolvedSpec {
  const { spec } = input;
  const problems: string[] = [...unsupported(spec), ...outsideProblems(spec, input)];
  const points = resolvePoints(spec);
  const thenMonitorForMs = monitorForMs(spec);
  const triggers = spec.triggers.flatMap((trigger, index) => {
    const where = `spec.triggers[${index}] (${trigger.name})`;
    const measure = resolveMeasure(input, trigger, where, problems);
    if (measure === undefined) return [];
    const wrong = comparisonProblem(trigger, measure, where);
    if (wrong !== undefined) problems.push(wrong);
    const plan = { points, thenMonitorForMs };
    const judge = resolveJudge(input, { trigger, measure, where, plan }, problems);
    return [resolveTrigger(trigger, measure, judge)];
  });
  const suites = resolveSuites(spec.healthSuites);
  const success = resolveSuccess(input, problems);
  const rollback = resolveRollback(input, problems);
  const targets = resolveTargets(input, problems);
  const restarts = resolveRestarts(input, problems);
  const freezes = resolveFreezes(spec, problems);
  const metrics = resolveMetrics(spec, problems, (metric, where, found) =>
    resolveMeasure(input, { metric }, where, found),
  );
  if (problems.length > 0) return { type: 'invalid', problems };
  const run: RunSpec = {
    revision: spec.revision ?? '',
    paused: spec.paused,
    digest: digestOf(spec),
    placeholders: { namespace: input.namespace, rollout: input.name },
    stable: spec.traffic.stable,
    canary: spec.traffic.canary,
    targets,
    restarts,
    points,
    freezes,
    thenMonitorForMs,
    success,
    intervalMs: parseDuration(spec.analysis.interval),
    offsetMs: parseDuration(spec.analysis.offset),
    triggers,
    suites,
    canaryDown: { forMs: parseDuration(spec.canaryDown.for), action: spec.canaryDown.action },
    preflight: spec.preflight.policy,
    chain: chainFrom(spec),
    backtest: backtestFrom(spec),
    rollback,
    deletionPolicy: spec.deletionPolicy,
    onNewRevision: spec.onNewRevision,
    historyLimit: spec.historyLimit,
    metrics,
    serviceMonitor: resolveServiceMonitor(spec),
    snapshots: {
      intervalMs: parseDuration(spec.snapshots.interval),
      keepRuns: spec.snapshots.keepRuns,
    },
    notify: spec.notify,
  };
  return { type: 'ok', run };
}

function chainFrom({ preflight }: RolloutSpec): RunChain {
  return {
    alertRules: preflight.alertRules,
    dashboards: preflight.dashboards.map(({ uid }) => uid),
    targets: preflight.targets.map(({ job }) => job),
  };
}

function backtestFrom({ preflight: { backtest } }: RolloutSpec): RunBacktest | undefined {
  if (backtest === undefined) return undefined;
  return { windowMs: parseDuration(backtest.window), maxFirings: backtest.maxFirings };
}

/** Without a schedule the 48-hour plan applies as a whole; with one nothing of it leaks in. */
function monitorForMs(spec: RolloutSpec): number {
  const fallback = spec.schedule === undefined ? defaultPlan.thenMonitorFor : '0s';
  return parseDuration(spec.success?.thenMonitorFor ?? fallback);
}

function resolveServiceMonitor({ monitoring }: RolloutSpec): RunServiceMonitor | undefined {
  const asked = monitoring?.serviceMonitor;
  if (asked === undefined) return undefined;
  const { port, path, scheme, interval } = asked;
  return { port, path, scheme, intervalMs: parseDuration(interval) };
}
