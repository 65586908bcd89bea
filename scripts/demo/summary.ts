/** What a run came to, from what was seen of it: shares of every step, the times of a rollback, and whether that is what the demo promises. */
import type { RolloutStatus } from '#api/status.ts';
import {
  failuresOf,
  type Observation,
  type SeenStatus,
  type Share,
  shareBetween,
} from './observation.ts';

export interface StepSummary extends Share {
  readonly name: string;
  readonly asked: number;
  readonly fromAt: string;
  readonly toAt: string;
}

/** Times of a rollback; undefined where it did not come to that. */
export interface RollbackSummary {
  readonly trigger: string | undefined;
  readonly message: string;
  readonly faultAt: string | undefined;
  /** When the trigger had held for its time, as the operator proved it from Prometheus. */
  readonly firingAt: string | undefined;
  readonly weightZeroAt: string | undefined;
  readonly lastCanaryResponseAt: string | undefined;
  readonly faultToFiringMs: number | undefined;
  readonly firingToWeightZeroMs: number | undefined;
  readonly firingToLastCanaryResponseMs: number | undefined;
}

export interface RunSummary {
  readonly run: number;
  readonly version: string;
  readonly outcome: string;
  readonly message: string;
  readonly durationMs: number | undefined;
  readonly requests: number;
  readonly failedRequests: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly steps: readonly StepSummary[];
  readonly rollback: RollbackSummary | undefined;
  readonly expectations: readonly Expectation[];
}

export interface Expectation {
  readonly sentence: string;
  readonly passed: boolean;
  readonly seen: string;
}

export const expected = {
  requestsMin: 1_000,
  sharePointsMax: 5,
  weightZeroWithinMs: 2_000,
} as const;

export interface RunExpectation {
  readonly run: number;
  readonly outcome: 'Succeeded' | 'RolledBack';
  /** When the demo stopped looking. */
  readonly endedAtMs: number;
}

export function summarize(seen: Observation, want: RunExpectation): RunSummary {
  const last = seen.statuses.at(-1)?.status ?? {};
  const rollback = last.rollback === undefined ? undefined : rollbackOf(seen, last);
  const steps = stepsOf(seen, last, want.endedAtMs);
  const all = shareBetween(seen.responses, seen.version, 0, Infinity);
  const summary = {
    run: want.run,
    version: seen.version,
    outcome: last.phase ?? 'Unknown',
    message: last.message ?? '',
    durationMs: between(last.startedAt, last.finishedAt),
    requests: all.requests,
    failedRequests: all.failed,
    failures: failuresOf(seen.responses),
    steps,
    rollback,
  };
  return { ...summary, expectations: expectationsOf(summary, want) };
}

/** A step lasts from when its weight was read back until the route was seen to leave that weight. */
function stepsOf(seen: Observation, last: RolloutStatus, endedAtMs: number): StepSummary[] {
  const reached = (last.plan ?? []).flatMap((point) =>
    point.kind === 'Step' && point.passedAt !== undefined && point.weight !== undefined
      ? [{ name: point.name, asked: point.weight, fromMs: Date.parse(point.passedAt) }]
      : [],
  );
  const backAtMs = last.rollback === undefined ? undefined : weightZeroAt(seen, last);
  if (backAtMs !== undefined) reached.push({ name: 'rolled back', asked: 0, fromMs: backAtMs });
  return reached.map(({ name, asked, fromMs }) => {
    const left = seen.weights.find((one) => one.seenAtMs > fromMs && one.weight !== asked);
    const toMs = left?.seenAtMs ?? endedAtMs;
    const share = shareBetween(seen.responses, seen.version, fromMs, toMs);
    return { name, asked, fromAt: iso(fromMs), toAt: iso(toMs), ...share };
  });
}

function rollbackOf(seen: Observation, last: RolloutStatus): RollbackSummary {
  const name = last.rollback?.trigger;
  const firingAt = firingTime(seen.statuses, name);
  const firingMs = firingAt === undefined ? undefined : Date.parse(firingAt);
  const zeroMs = weightZeroAt(seen, last);
  const canaryMs = seen.responses
    .filter(({ version }) => version === seen.version)
    .reduce<number | undefined>(
      (latest, one) => Math.max(latest ?? 0, one.receivedAtMs),
      undefined,
    );
  return {
    trigger: name,
    message: last.rollback?.message ?? '',
    faultAt: isoOptional(seen.faultAtMs),
    firingAt,
    weightZeroAt: isoOptional(zeroMs),
    lastCanaryResponseAt: isoOptional(canaryMs),
    faultToFiringMs: difference(seen.faultAtMs, firingMs),
    firingToWeightZeroMs: difference(firingMs, zeroMs),
    firingToLastCanaryResponseMs: difference(firingMs, canaryMs),
  };
}

/** The run's end may drop the entry, so the newest status that has it counts. */
function firingTime(
  statuses: readonly SeenStatus[],
  trigger: string | undefined,
): string | undefined {
  return statuses
    .toReversed()
    .flatMap(({ status }) => status.triggers ?? [])
    .find((one) => one.name === trigger && one.firingAt !== undefined)?.firingAt;
}

/** When the route was first seen at 0 after canary last had traffic. */
function weightZeroAt(seen: Observation, last: RolloutStatus): number | undefined {
  const startedMs = Date.parse(last.startedAt ?? '');
  const ofRun = seen.weights.filter((one) => !(one.seenAtMs < startedMs));
  const lastAbove = ofRun.findLastIndex((one) => one.weight > 0);
  return lastAbove < 0 ? undefined : ofRun[lastAbove + 1]?.seenAtMs;
}

type Facts = Omit<RunSummary, 'expectations'>;

function expectationsOf(facts: Facts, want: RunExpectation): Expectation[] {
  const shares = facts.steps.map((step) => stepExpectation(facts.run, step));
  const outcome: Expectation = {
    sentence: `run ${want.run} ends ${want.outcome}`,
    passed: facts.outcome === want.outcome,
    seen: facts.outcome === want.outcome ? facts.outcome : `${facts.outcome}: ${facts.message}`,
  };
  return want.outcome === 'Succeeded'
    ? [outcome, ...stepCount(facts, 3), ...shares]
    : [outcome, ...stepCount(facts, 3), ...shares, speedExpectation(facts)];
}

/** 0, 50 and 100 %; or 0, 50 and 0 % again. Without all of them the shares would prove nothing. */
function stepCount(facts: Facts, wanted: number): Expectation[] {
  if (facts.steps.length === wanted) return [];
  const names = facts.steps.map(({ name }) => name).join(', ');
  const sentence = `run ${facts.run}: the route goes through ${wanted} weights`;
  return [{ sentence, passed: false, seen: `${facts.steps.length}: ${names || 'none'}` }];
}

function stepExpectation(run: number, step: StepSummary): Expectation {
  const { requestsMin, sharePointsMax } = expected;
  const { requests, percent } = step;
  const isClose = percent !== undefined && Math.abs(percent - step.asked) <= sharePointsMax;
  return {
    sentence: `run ${run}: measured share within ${sharePointsMax} points of the asked ${step.asked}% (${step.name})`,
    passed: isClose && requests >= requestsMin,
    seen: `${percentText(percent)} of ${requests} requests${requests < requestsMin ? `, fewer than ${requestsMin}` : ''}`,
  };
}

function speedExpectation({ run, rollback }: Facts): Expectation {
  const tookMs = rollback?.firingToWeightZeroMs;
  return {
    sentence: `run ${run}: bad version at 0% within ${expected.weightZeroWithinMs / 1_000} s of its trigger having held`,
    passed: tookMs !== undefined && tookMs <= expected.weightZeroWithinMs,
    seen: tookMs === undefined ? 'it never was' : `${(tookMs / 1_000).toFixed(2)} s`,
  };
}

export function percentText(percent: number | undefined): string {
  return percent === undefined ? '–' : `${percent.toFixed(1)}%`;
}

function between(from: string | undefined, to: string | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Date.parse(to) - Date.parse(from);
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOptional(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : iso(ms);
}
