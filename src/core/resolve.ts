/**
 * From a spec to what a run follows: the plan resolved, every default filled in, references followed,
 * queries inspected. What this version cannot carry out is refused here with a sentence, never ignored.
 */
import { parseCondition } from '#api/condition-text.ts';
import { defaultPlan, ladderBySeverity, noDataBySeverity } from '#api/defaults.ts';
import { parseDuration } from '#api/duration.ts';
import { usedPlaceholders } from '#api/placeholders.ts';
import type { Metric, RolloutSpec, Trigger } from '#api/rollout.ts';
import { resolveFreezes, resolvePoints } from './resolve-plan.ts';
import { resolveTargets } from './resolve-targets.ts';
import type { Measure, Rung, RunSpec, RunTrigger } from './run-spec.ts';
import type { ResolvedSpec } from './snapshot.ts';
import { notActedOn, unsupported } from './unsupported.ts';

export type QueryFacts =
  | { readonly type: 'ok'; readonly longestRangeMs: number }
  | { readonly type: 'invalid'; readonly message: string };

export interface ResolveInput {
  readonly namespace: string;
  readonly name: string;
  readonly spec: RolloutSpec;
  /** Parses a query whose placeholders are filled with stand-ins, and says how far back it looks. */
  readonly inspect: (query: string) => QueryFacts;
}

/** Throws nothing on a spec that has passed its schema. */
export function resolveSpec(input: ResolveInput): ResolvedSpec {
  const { spec } = input;
  const problems: string[] = [...unsupported(spec)];
  const triggers = spec.triggers.flatMap((trigger, index) => {
    const where = `spec.triggers[${index}] (${trigger.name})`;
    const measure = resolveMeasure(input, trigger, where, problems);
    return measure === undefined ? [] : [resolveTrigger(trigger, measure)];
  });
  const targets = resolveTargets(input, problems);
  const freezes = resolveFreezes(spec, problems);
  if (problems.length > 0) return { type: 'invalid', problems };
  const { rollback } = spec;
  const run: RunSpec = {
    revision: spec.revision ?? '',
    paused: spec.paused,
    placeholders: { namespace: input.namespace, rollout: input.name },
    stable: spec.traffic.stable,
    canary: spec.traffic.canary,
    targets,
    points: resolvePoints(spec),
    freezes,
    thenMonitorForMs: monitorForMs(spec),
    intervalMs: parseDuration(spec.analysis.interval),
    offsetMs: parseDuration(spec.analysis.offset),
    triggers,
    canaryDown: { forMs: parseDuration(spec.canaryDown.for), action: spec.canaryDown.action },
    preflight: spec.preflight.policy,
    rollback: {
      slaMs: parseDuration(rollback.sla),
      stopTrafficMs: parseDuration(rollback.stages.stopTraffic),
    },
    deletionPolicy: spec.deletionPolicy,
    onNewRevision: spec.onNewRevision,
    historyLimit: spec.historyLimit,
    notActedOn: notActedOn(spec),
  };
  return { type: 'ok', run };
}

/** Without a schedule the 48-hour plan applies as a whole; with one nothing of it leaks in. */
function monitorForMs(spec: RolloutSpec): number {
  const fallback = spec.schedule === undefined ? defaultPlan.thenMonitorFor : '0s';
  return parseDuration(spec.success?.thenMonitorFor ?? fallback);
}

function resolveTrigger(trigger: Trigger, measure: Measure): RunTrigger {
  const ladder = trigger.onFiring ?? ladderBySeverity[trigger.severity];
  return {
    name: trigger.name,
    severity: trigger.severity,
    measure,
    condition: parseCondition(trigger.condition),
    forMs: parseDuration(trigger.for),
    keepFiringForMs: parseDuration(trigger.keepFiringFor),
    noData: trigger.noData ?? noDataBySeverity[trigger.severity],
    noDataForMs: parseDuration(trigger.noDataFor),
    ladder: ladder.flatMap((rung) => resolveRung(rung)),
  };
}

function resolveRung(rung: {
  readonly action: string;
  readonly after?: string | undefined;
}): Rung[] {
  const { action } = rung;
  if (action !== 'Rollback' && action !== 'Hold' && action !== 'Notify') return [];
  return [{ action, afterMs: rung.after === undefined ? 0 : parseDuration(rung.after) }];
}

/** Where the number comes from; undefined when it cannot be had, with a sentence added to `problems`. */
function resolveMeasure(
  input: ResolveInput,
  trigger: Trigger,
  where: string,
  problems: string[],
): Measure | undefined {
  const metric: Pick<Metric, 'query' | 'ratio' | 'series'> | undefined =
    trigger.metric === undefined
      ? trigger
      : input.spec.analysis.metrics.find((one) => one.name === trigger.metric);
  if (metric === undefined) {
    problems.push(`${where}: metric "${trigger.metric}" is not in spec.analysis.metrics`);
    return undefined;
  }
  const series = 'series' in metric ? metric.series : undefined;
  if (metric.ratio !== undefined) {
    const { bad, total } = metric.ratio;
    const rangeMs = Math.max(
      inspected(input, `${where}: bad`, bad, problems),
      inspected(input, `${where}: total`, total, problems),
    );
    const isArmBound =
      [bad, total].some(namesAnArm) || Object.values(series ?? {}).some(namesAnArm);
    return { type: 'ratio', bad, total, series, isArmBound, rangeMs };
  }
  if (metric.query !== undefined) {
    const rangeMs = inspected(input, `${where}: query`, metric.query, problems);
    const isArmBound = namesAnArm(metric.query) || Object.values(series ?? {}).some(namesAnArm);
    return { type: 'query', query: metric.query, series, isArmBound, rangeMs };
  }
  return undefined;
}

function inspected(input: ResolveInput, where: string, query: string, problems: string[]): number {
  const facts = input.inspect(query);
  if (facts.type === 'ok') return facts.longestRangeMs;
  problems.push(`${where}: not PromQL: ${facts.message}`);
  return 0;
}

/** Canary-arm queries are those that ask for the arm, or for canary by name. */
function namesAnArm(text: string): boolean {
  const used = usedPlaceholders(text);
  return used.includes('arm.service') || used.includes('canary.service');
}
