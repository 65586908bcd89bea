/**
 * What is done by the clock alone while nothing changes: suites by their interval, and snapshots. A run of a suite that brings
 * what the one before it has brought moves nothing, so the world carries such runs out without the engine looking on.
 */
import type { RunSpec, RunSuite } from '#core/run-spec.ts';
import type { SuiteRun } from '#core/suite-state.ts';
import type { VirtualSuiteRun, VirtualSuites } from './virtual-suites.ts';

export interface RoutineWorld {
  readonly run: RunSpec;
  /** Nothing from before this run of the rollout counts. */
  readonly startedAtMs: number;
  readonly suites: VirtualSuites;
  /** How a run would go that started then. */
  readonly courseOf: (suite: string, atMs: number) => VirtualSuiteRun;
  readonly startSuite: (suite: RunSuite, atMs: number, course: VirtualSuiteRun) => void;
  /** The distance of two snapshots; undefined where none are kept. */
  readonly snapshotMs: number | undefined;
  readonly record: (index: number, atMs: number) => void;
}

/**
 * Carries out all that comes after `nowMs` and before `limitMs`.
 *
 * @returns when the first thing is due that was left for a look; at most infinity
 */
export function carryOn(nowMs: number, limitMs: number, world: RoutineWorld): number {
  const { startedAtMs, snapshotMs = Number.POSITIVE_INFINITY } = world;
  let index = Math.floor((nowMs - startedAtMs) / snapshotMs) + 1;
  for (;;) {
    const next = nextSuite(world);
    const snapshotAtMs =
      world.snapshotMs === undefined ? Number.POSITIVE_INFINITY : startedAtMs + index * snapshotMs;
    const atMs = Math.min(snapshotAtMs, next?.atMs ?? Number.POSITIVE_INFINITY);
    if (atMs >= limitMs) return atMs;
    // The record shows what was known before a suite starts at the same moment.
    if (snapshotAtMs === atMs) {
      world.record(index, atMs);
      index += 1;
      continue;
    }
    if (next === undefined || atMs <= nowMs) return atMs;
    const course = world.courseOf(next.suite.name, atMs);
    if (!isAlike(next.last, course, next.suite)) return atMs;
    world.startSuite(next.suite, atMs, course);
  }
}

/** When the next run under way ends whose result is news. */
export function nextNewsMs(nowMs: number, { run, suites, startedAtMs }: RoutineWorld): number {
  const ends = run.suites.flatMap(({ name }) => {
    const [before, last] = [suites.runsOf(name).at(-2), suites.runsOf(name).at(-1)];
    const isNews = last !== undefined && last.finishedAtMs > nowMs;
    return isNews && !bringsTheSame(before, last, startedAtMs) ? [last.finishedAtMs] : [];
  });
  return Math.min(...ends, Number.POSITIVE_INFINITY);
}

/**
 * Until when a suite says what it says at `tickMs`, if it goes on as it does.
 *
 * @param validForMs how long a result stays valid when no next one comes
 */
export function suiteConstantUntil(
  runs: readonly SuiteRun[],
  of: { readonly tickMs: number; readonly startedAtMs: number; readonly validForMs: number },
): number {
  const { tickMs, startedAtMs, validForMs } = of;
  let untilMs = Number.POSITIVE_INFINITY;
  for (let index = runs.length - 1; index >= 0; index -= 1) {
    const run = runs[index];
    if (run === undefined || run.finishedAtMs <= tickMs) break;
    if (!bringsTheSame(runs[index - 1], run, startedAtMs)) untilMs = run.finishedAtMs;
  }
  const last = runs.at(-1);
  const known = runs.findLast((one) => one.outcome.type === 'done' && one.finishedAtMs <= tickMs);
  if (known === undefined || last === undefined) return untilMs;
  const endMs = known.startedAtMs + validForMs;
  const isRenewed = last.outcome.type === 'done' && last.finishedAtMs <= endMs;
  return isRenewed || endMs < tickMs ? untilMs : Math.min(untilMs, endMs + 1);
}

interface NextSuite {
  readonly suite: RunSuite;
  readonly atMs: number;
  readonly last: SuiteRun | undefined;
}

/** Whichever is due first by its interval; never while it runs. */
function nextSuite({ run, suites, startedAtMs }: RoutineWorld): NextSuite | undefined {
  let next: NextSuite | undefined;
  for (const suite of run.suites) {
    const last = suites.runsOf(suite.name).at(-1);
    const isOfRun = last !== undefined && last.startedAtMs >= startedAtMs;
    const atMs = isOfRun
      ? Math.max(last.finishedAtMs, last.startedAtMs + suite.intervalMs)
      : Number.NEGATIVE_INFINITY;
    if (next === undefined || atMs < next.atMs) next = { suite, atMs, last };
  }
  return next;
}

function bringsTheSame(before: SuiteRun | undefined, run: SuiteRun, startedAtMs: number): boolean {
  const isOfRun = before !== undefined && before.startedAtMs >= startedAtMs;
  return isOfRun && isSameOutcome(before.outcome, run.outcome);
}

function isAlike(last: SuiteRun | undefined, course: VirtualSuiteRun, suite: RunSuite): boolean {
  const isInTime = course.tookMs <= suite.timeoutMs;
  return last !== undefined && isInTime && isSameOutcome(last.outcome, course.outcome);
}

/** A failure is never the same: the second in a row is a hold, and results run out. */
function isSameOutcome(a: SuiteRun['outcome'], b: SuiteRun['outcome']): boolean {
  if (a.type === 'failed' || b.type === 'failed') return false;
  return (
    a.total === b.total &&
    a.passed === b.passed &&
    a.failed === b.failed &&
    a.skipped === b.skipped &&
    a.knownFlaky === b.knownFlaky &&
    a.newFailures === b.newFailures &&
    a.failures.length === b.failures.length &&
    a.failures.every((name, index) => name === b.failures[index])
  );
}
