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
import { clockText, fromIsoOptional } from './time.ts';

/** Of the runs that belong to this run of the rollout: what an older revision got counts for nothing. */
export function suiteOf({ suites, status }: Snapshot, name: string): SuiteState | undefined {
  const state = suites.get(name);
  const sinceMs = fromIsoOptional(status.startedAt);
  if (state === undefined || sinceMs === undefined) return state;
  return { ...state, runs: state.runs.filter((run) => run.startedAtMs >= sinceMs) };
}

/** In the form in which Prometheus answers, so that everybody reads it alike. */
export function answerSuite(
  question: SuiteQuestion,
  state: SuiteState | undefined,
): InstantAnswer | RangeAnswer {
  if (question.type === 'suite') {
    const { atMs } = question;
    const value = valueAt(question, state, atMs);
    if (typeof value !== 'number') return value;
    return { type: 'samples', samples: [{ labels: {}, value, atMs }], skewMs: undefined };
  }
  const points = [];
  for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
    const value = valueAt(question, state, atMs);
    if (typeof value === 'number') points.push({ atMs, value });
  }
  const series = points.length === 0 ? [] : [{ labels: {}, points }];
  return { type: 'series', series, skewMs: undefined };
}

/** Newest by the time at which it had come. */
export function newestResultAt(
  runs: readonly SuiteRun[],
  atMs: number,
): (SuiteRun & { readonly outcome: SuiteResult }) | undefined {
  return runs.filter(isDone).findLast((run) => run.finishedAtMs <= atMs);
}

function isDone(run: SuiteRun): run is SuiteRun & { readonly outcome: SuiteResult } {
  return run.outcome.type === 'done';
}

function valueAt(
  { suite, of, validForMs }: SuiteFigureOf,
  state: SuiteState | undefined,
  atMs: number,
): number | FailedAnswer {
  const newest = newestResultAt(state?.runs ?? [], atMs);
  if (newest === undefined) {
    const failed = state?.runs.findLast((run) => run.finishedAtMs <= atMs);
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
