/** Builds the picture of this moment from what has been seen so far. */
import { type Condition, formatValue, parseCondition } from '#api/condition-text.ts';
import { parseDuration } from '#api/duration.ts';
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';
import { type Observation, shareBetween } from './observation.ts';
import type { DemoPlan } from './plan.ts';
import type { DecisionView, MeasuredView, TriggerView, View } from './timeline.ts';

export interface LiveInput {
  readonly title: string;
  readonly nowMs: number;
  readonly rollout: KubeObject;
  readonly plan: DemoPlan;
  readonly seen: Observation;
  /** The operator's own `genesis_trigger_value`, by trigger. */
  readonly values: ReadonlyMap<string, number>;
}

/** Measured over the last moments: long enough to be steady, short enough to follow a step. */
const measuredOverMs = 2_000;
/** Of the reasons that a run usually has. */
/** The plan shows what it waits for; a moment later it has been passed. */
const shownElsewhere = new Set(['Waiting', 'RouteNotSettled', 'StepEntered', 'PreflightPassed']);
const reasonWidth = 'PreflightPassed'.length;

export function liveView({ title, nowMs, rollout, plan, seen, values }: LiveInput): View {
  const status: RolloutStatus = seen.statuses.at(-1)?.status ?? {};
  return {
    title,
    nowMs,
    startedAtMs: milliseconds(status.startedAt),
    phase: status.phase ?? 'Pending',
    message: shortened(status.message ?? 'waiting for the operator'),
    points: (status.plan ?? []).map((point) => ({
      name: point.name,
      weight: point.weight,
      dueAtMs: Date.parse(point.dueAt),
      passedAtMs: milliseconds(point.passedAt),
    })),
    asked: askedWeight(status),
    onRoute: seen.weights.at(-1)?.weight,
    measured: measured(seen, nowMs),
    triggers: triggerViews(rollout, status, values),
    decisions: decisions(seen, plan),
  };
}

/**
 * What was decided, from the status: its reason and message whenever they change, and what has been passed by when.
 * Events would say the same, but those of a second run that are equal to the first's only raise a count.
 */
function decisions(seen: Observation, plan: DemoPlan): DecisionView[] {
  const made: DecisionView[] = [];
  const add = (atMs: number, reason: string, message: string) =>
    made.push({ atMs, text: `${reason.padEnd(reasonWidth)} ${shortened(message)}` });
  let before = '';
  for (const { seenAtMs, status } of seen.statuses) {
    const { reason = '' } = status.conditions?.find(({ type }) => type === 'Ready') ?? {};
    const { message = '' } = status;
    const isNew = before !== `${reason} ${message}`;
    if (isNew && !shownElsewhere.has(reason)) add(seenAtMs, reason, message);
    before = `${reason} ${message}`;
  }
  const { plan: points = [], preflightPassedAt } = seen.statuses.at(-1)?.status ?? {};
  if (preflightPassedAt !== undefined) {
    add(Date.parse(preflightPassedAt), 'PreflightPassed', 'every trigger has a reading');
  }
  for (const { kind, name, weight, passedAt } of points) {
    if (kind !== 'Step' || passedAt === undefined) continue;
    add(Date.parse(passedAt), 'StepEntered', `step ${name}: ${weight}% read back from the route`);
  }
  if (seen.faultAtMs !== undefined) {
    const share = `${100 * plan.errorRate}%`;
    add(
      seen.faultAtMs,
      '(the demo)',
      `lets ${share} of ${seen.version}'s answers fail from now on`,
    );
  }
  return made.sort((a, b) => a.atMs - b.atMs);
}

function askedWeight(status: RolloutStatus): number | undefined {
  if (status.rollback !== undefined) return 0;
  return status.plan?.find(({ kind, name }) => kind === 'Step' && name === status.step)?.weight;
}

function measured(seen: Observation, nowMs: number): MeasuredView {
  const share = shareBetween(recent(seen.responses), seen.version, nowMs - measuredOverMs, nowMs);
  return {
    percent: share.percent,
    requestsPerSecond: (share.requests * 1_000) / measuredOverMs,
    failedPercent: share.requests === 0 ? 0 : (100 * share.failed) / share.requests,
  };
}

/** Answers stand nearly in the order of asking; a picture four times a second need not look at all of them. */
function recent<T>(list: readonly T[]): readonly T[] {
  return list.slice(-2_000);
}

interface SpecTrigger {
  readonly name: string;
  readonly condition: string;
  readonly for: string;
}

function triggerViews(
  rollout: KubeObject,
  status: RolloutStatus,
  values: ReadonlyMap<string, number>,
): TriggerView[] {
  const { triggers = [] } = rollout['spec'] as { triggers?: readonly SpecTrigger[] };
  const shown = status.triggers ?? [];
  return shown.map((one): TriggerView => {
    const spec = triggers.find(({ name }) => name === one.name);
    if (spec === undefined) {
      const rule = 'no Ready endpoint';
      return { name: one.name, state: one.state, value: undefined, rule, firesAtMs: undefined };
    }
    const condition = parseCondition(spec.condition);
    return {
      name: one.name,
      state: one.state,
      value: valueText(values.get(one.name) ?? optionalNumber(one.value), condition),
      rule: `${spec.condition} for ${spec.for}`,
      firesAtMs: firesAt(one, parseDuration(spec.for)),
    };
  });
}

function firesAt({ state, activeAt, gapMs = 0 }: TriggerStatus, forMs: number): number | undefined {
  return state === 'Pending' && activeAt !== undefined
    ? Date.parse(activeAt) + gapMs + forMs
    : undefined;
}

function valueText(value: number | undefined, condition: Condition): string | undefined {
  return value === undefined ? undefined : formatValue(value, condition.unit);
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function milliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

/** The query stands in the status for whoever wants to know; here it would hide the figures. */
function shortened(message: string): string {
  return message.replace(/ \(query .*\)/s, '');
}
