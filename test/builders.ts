/** Builders with defaults for tests of the engine: a spec, what a run makes of it, and one snapshot of the world. */
import { type RolloutSpec, type RolloutSpecInput, rolloutSpecSchema } from '#api/rollout.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { Answer, Question } from '#core/answer.ts';
import { resolveSpec } from '#core/resolve.ts';
import type { RouteReading } from '#core/route-reading.ts';
import type { RouteTarget, RunSpec } from '#core/run-spec.ts';
import type { ResolvedSpec, RouteObservation, Snapshot } from '#core/snapshot.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import type { VirtualSuiteRun } from '#simulate/virtual-suites.ts';

/** When every test begins: a full hour, so that the evaluation grid lies on it. */
export const T0 = Date.UTC(2026, 10, 22, 12);

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const namespace = 'shop';
export const rolloutName = 'checkout';

export type TriggerInput = NonNullable<RolloutSpecInput['triggers']>[number];

/** Trigger `errors` on one series a Service: nothing looks back, so nothing has to be waited for. */
export const ERRORS = 'errors{service="$(arm.service)"}';

export const errorsTrigger = {
  name: 'errors',
  severity: 'Critical',
  query: ERRORS,
  condition: '> 0.5%',
  for: '5m',
} as const;

/** The same by a judge that compares counts of canary with those of stable. */
export const sequentialTrigger = {
  name: 'errors',
  severity: 'Critical',
  ratio: {
    bad: 'sum(rate(bad{service="$(arm.service)"}[5m]))',
    total: 'sum(rate(all{service="$(arm.service)"}[5m]))',
  },
  condition: '> 0.5%',
  judge: 'Sequential',
} as const;

/** An hour at 0 %, an hour at 50 %, an hour at 100 %. */
export const threeSteps: NonNullable<RolloutSpecInput['schedule']> = {
  steps: [
    { name: 'dark', at: '0h', weight: 0 },
    { name: 'half', at: '1h', weight: 50 },
    { name: 'full', at: '2h', weight: 100 },
  ],
  end: '3h',
};

/** Half of the traffic from the start, and nothing else for ten hours. */
export const halfForTenHours: NonNullable<RolloutSpecInput['schedule']> = {
  steps: [
    { name: 'half', at: '0h', weight: 50 },
    { name: 'full', at: '10h', weight: 100 },
  ],
  end: '11h',
};

/** What a person writes, with defaults that make a rollout of three hours with one trigger. */
export function rolloutSpec(overrides: Partial<RolloutSpecInput> = {}): RolloutSpecInput {
  return {
    revision: 'v2',
    traffic: {
      stable: { service: 'old', port: 80 },
      canary: { service: 'new', port: 80 },
      routes: [{ kind: 'HTTPRoute', name: 'web' }],
    },
    schedule: threeSteps,
    triggers: [errorsTrigger],
    ...overrides,
  };
}

/** As the operator resolves it: through the schema with its defaults, then `resolveSpec` with real PromQL. */
export function resolved(input: unknown): ResolvedSpec {
  const parsed = rolloutSpecSchema.safeParse(input);
  if (!parsed.success) {
    return { type: 'invalid', problems: parsed.error.issues.map((issue) => issue.message) };
  }
  const spec: RolloutSpec = parsed.data;
  return resolveSpec({ namespace, name: rolloutName, spec, inspect: inspectQuery });
}

/** Throws with the sentences when the spec is refused. */
export function runSpec(overrides: Partial<RolloutSpecInput> = {}): RunSpec {
  const spec = resolved(rolloutSpec(overrides));
  if (spec.type === 'invalid') throw new Error(spec.problems.join('; '));
  return spec.run;
}

type Read = Extract<RouteReading, { type: 'read' }>;

export function reading(overrides: Partial<Read> = {}): Read {
  return {
    type: 'read',
    weight: 0,
    uniform: true,
    settled: true,
    writtenBy: 'kubectl',
    owned: false,
    rolledBackRun: undefined,
    isolated: false,
    resourceVersion: '1',
    problems: [],
    ...overrides,
  };
}

export function routesOf(run: RunSpec, overrides: Partial<Read> = {}): RouteObservation[] {
  return run.targets.map((target: RouteTarget) => ({ target, reading: reading(overrides) }));
}

export function snapshot(run: RunSpec, overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    now: T0,
    object: {
      namespace,
      name: rolloutName,
      uid: 'u-1',
      generation: 1,
      deletionRequestedAtMs: undefined,
      hasFinalizer: true,
      request: undefined,
      author: undefined,
    },
    wanted: { type: 'ok', run },
    recorded: run,
    status: {},
    routes: routesOf(run),
    restarts: [],
    ready: { stable: 2, canary: 2 },
    conflict: undefined,
    suites: new Map(),
    jobs: new Map(),
    decisions: [],
    decisionPolicy: { type: 'enforced', sinceMs: 0 },
    answers: new Map(),
    ...overrides,
  };
}

/** A status of a run that has entered its first step. */
export function startedStatus(run: RunSpec, overrides: Partial<RolloutStatus> = {}): RolloutStatus {
  return {
    phase: 'Progressing',
    revision: run.revision,
    runId: 'run-1',
    runGeneration: 1,
    specRecord: 'checkout-run-1-g1',
    startedAt: '2026-11-22T12:00:00Z',
    preflightPassedAt: '2026-11-22T12:00:00Z',
    stableReadyAtStart: 2,
    holds: [],
    ...overrides,
  };
}

/** What a fake Prometheus says of a filled query at a time: a number (NaN too), or nothing. */
export type SeriesValue = number | 'absent';
export type SeriesOf = (query: string, atMs: number) => SeriesValue;

/** A run of a health suite; what is not said is 0. */
export function suiteRun(counts: {
  readonly passed: number;
  /** Failures that are not known to be flaky. */
  readonly failed?: number;
  readonly flaky?: number;
  readonly skipped?: number;
  readonly tookMs?: number;
}): VirtualSuiteRun {
  const { passed, failed = 0, flaky = 0, skipped = 0, tookMs = 20 * SECOND } = counts;
  const outcome = {
    type: 'done',
    total: passed + failed + flaky + skipped,
    passed,
    failed: failed + flaky,
    skipped,
    knownFlaky: flaky,
    newFailures: failed,
    failures: [],
  } as const;
  return { tookMs, outcome };
}

/** One that could not be carried out. */
export function suiteFailure(message: string, tookMs = 20 * SECOND): VirtualSuiteRun {
  return { tookMs, outcome: { type: 'failed', message } };
}

/** A URL is asked under its own text, and answers 1 or 0. */
export function answerTo(question: Question, seriesOf: SeriesOf): Answer {
  const text = 'query' in question ? question.query : question.url;
  if ('atMs' in question) {
    const value = seriesOf(text, question.atMs);
    const samples = value === 'absent' ? [] : [{ labels: {}, value, atMs: question.atMs }];
    return { type: 'samples', samples, skewMs: 0 };
  }
  const points = [];
  for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
    const value = seriesOf(text, atMs);
    if (value !== 'absent') points.push({ atMs, value });
  }
  return { type: 'series', series: points.length === 0 ? [] : [{ labels: {}, points }], skewMs: 0 };
}
