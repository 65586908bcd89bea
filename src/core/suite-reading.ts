/**
 * What a health suite says at one time: the newest result that had come by then, for as long as it is
 * valid. A run that could not be carried out is no result: the one before it stands until it expires.
 */
import type {
  FailedAnswer,
  InstantAnswer,
  RangeAnswer,
  SuiteFigure,
  SuiteFigureOf,
  SuiteQuestion,
} from './answer.ts';
import type { Snapshot } from './snapshot.ts';
import type { SuiteResult, SuiteRun, SuiteState } from './suite-state.ts';
import { clockText, fromIso } from './time.ts';

/** The part that belongs to a run of the rollout, for each state: every trigger, hold and moment asks for it. */
const ownOf = new WeakMap<SuiteState, { readonly startedAt: string; readonly own: SuiteState }>();

/** Of the runs that belong to this run of the rollout: what an older revision got counts for nothing. */
export function suiteOf({ suites, status }: Snapshot, name: string): SuiteState | undefined {
  const state = suites.get(name);
  const { startedAt } = status;
  if (state === undefined || startedAt === undefined) return state;
  const known = ownOf.get(state);
  if (known?.startedAt === startedAt) return known.own;
  const sinceMs = fromIso(startedAt);
  const runs = state.runs.filter((run) => run.startedAtMs >= sinceMs);
  const own = runs.length === state.runs.length ? state : { ...state, runs };
  ownOf.set(state, { startedAt, own });
  return own;
}

/** In the form in which Prometheus answers, so that everybody reads it alike. */
export function answerSuite(
  question: SuiteQuestion,
  state: SuiteState,
): InstantAnswer | RangeAnswer {
  if (question.type === 'suite') {
    const { atMs } = question;
    const value = valueAt(question, state, atMs);
    if (typeof value !== 'number') return value;
    return { type: 'samples', samples: [{ labels: {}, value, atMs }], skewMs: undefined };
  }
  const points = pointsOf(question, state.runs);
  const series = points.length === 0 ? [] : [{ labels: {}, points }];
  return { type: 'series', series, skewMs: undefined };
}

/** Walks the runs along with the points: both are in order of time. */
function pointsOf(
  question: Extract<SuiteQuestion, { readonly type: 'suiteRange' }>,
  runs: readonly SuiteRun[],
): { readonly atMs: number; readonly value: number }[] {
  const { startMs, endMs, stepMs, of, validForMs } = question;
  const points = [];
  let next = countAt(runs, startMs);
  let newest = newestResultAt(runs, startMs);
  let value = newest && figureOf(newest.outcome, of);
  for (let atMs = startMs; atMs <= endMs; atMs += stepMs) {
    for (let run = runs[next]; run !== undefined && run.finishedAtMs <= atMs; run = runs[next]) {
      next += 1;
      if (!isDone(run)) continue;
      newest = run;
      value = figureOf(run.outcome, of);
    }
    const isValid = newest !== undefined && atMs <= newest.startedAtMs + validForMs;
    if (isValid && value !== undefined) points.push({ atMs, value });
  }
  return points;
}

/** Newest by the time at which it had come. */
export function newestResultAt(
  runs: readonly SuiteRun[],
  atMs: number,
): (SuiteRun & { readonly outcome: SuiteResult }) | undefined {
  for (let index = countAt(runs, atMs) - 1; index >= 0; index -= 1) {
    const run = runs[index];
    if (run !== undefined && isDone(run)) return run;
  }
  return undefined;
}

/** How many of the runs had come by then: a window of two days asks for each of its points. */
function countAt(runs: readonly SuiteRun[], atMs: number): number {
  let from = 0;
  let to = runs.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((runs[middle]?.finishedAtMs ?? 0) <= atMs) from = middle + 1;
    else to = middle;
  }
  return from;
}

function isDone(run: SuiteRun): run is SuiteRun & { readonly outcome: SuiteResult } {
  return run.outcome.type === 'done';
}

function valueAt(
  { suite, of, validForMs }: SuiteFigureOf,
  state: SuiteState,
  atMs: number,
): number | FailedAnswer {
  const newest = newestResultAt(state.runs, atMs);
  if (newest === undefined) {
    const failed = state.runs[countAt(state.runs, atMs) - 1];
    if (failed?.outcome.type === 'failed') {
      return absent(`suite ${suite} could not be run: ${failed.outcome.message}`);
    }
    return absent(`suite ${suite} has no result yet`);
  }
  if (atMs > newest.startedAtMs + validForMs) {
    return absent(`the last result of suite ${suite} came at ${clockText(newest.finishedAtMs)}`);
  }
  return figureOf(newest.outcome, of) ?? absent(`suite ${suite} has run no test`);
}

/** @returns undefined where every test was skipped: that is no pass rate */
export function figureOf(result: SuiteResult, of: SuiteFigure): number | undefined {
  switch (of) {
    case 'PassRate': {
      const ran = result.total - result.skipped;
      return ran > 0 ? result.passed / ran : undefined;
    }
    case 'Failed':
      return result.failed;
    case 'NewFailures':
      return result.newFailures;
    default:
      return result.knownFlaky;
  }
}

/** A partial answer proves nothing: it is read as no data, with this sentence. */
function absent(message: string): FailedAnswer {
  return { type: 'error', fault: 'partial', message };
}
